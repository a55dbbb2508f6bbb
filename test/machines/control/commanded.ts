import {
	applyControl,
	type ControlCommand,
	type ControlState,
	type JournalResult,
} from "../../../src/machines/control.js";

/** Applies the command as the entry at `index`; its result as JSON. */
export function commanded(
	state: ControlState,
	index: number,
	command: ControlCommand | object,
): JournalResult {
	const data = Buffer.from(JSON.stringify(command));
	return JSON.parse(Buffer.from(applyControl(state, data, index)).toString());
}

export function acquire(nowMs: number, ttlMs = 60_000): ControlCommand {
	return {
		...{ type: "acquire-lock", holder: "ann", host: "h", nonce: "" },
		...{ operation: "roll", ttlMs, nowMs },
	};
}

export function write(
	id: string,
	fencingToken: number,
	rest: {
		readonly unfinished?: boolean;
		readonly record?: string;
		readonly clearPause?: boolean;
		readonly nowMs?: number;
	} = {},
): ControlCommand {
	return {
		...{ type: "write-operation", id, fencingToken, nowMs: 1 },
		...{ unfinished: true, record: "{}", ...rest },
	};
}
