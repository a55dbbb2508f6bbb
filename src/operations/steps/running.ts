import { OperatorError, reasonOf } from "../../errors.js";
import type { Service } from "../../hosts/host.js";

const logTailLines = 8;

interface Running {
	readonly service: Service;
	readonly name: string;
	/** Null for a program that is none. */
	readonly node: string | null;
}

/** Throws OperatorError "partial", with the end of its log, when the process is gone. `words` say what is known besides. */
export async function requireRunning(
	{ service, name, node }: Running,
	words: { readonly state?: string; readonly next?: string } = {},
): Promise<void> {
	const state = await service.state();
	if (state.running) return;
	const exit = state.exit === null ? "" : ` (${state.exit})`;
	throw new OperatorError(
		"partial",
		`${name} ended right after its start${exit}`,
		{
			...(node === null ? {} : { node }),
			...{ problems: await logTailOf(service), ...words },
		},
	);
}

export async function logTailOf(service: Service): Promise<readonly string[]> {
	try {
		const tail = await service.logTail(logTailLines);
		return worthSaying(tail.split("\n").filter((line) => line.trim() !== ""));
	} catch (error) {
		return [`its log could not be read: ${reasonOf(error)}`];
	}
}

const longestLine = 300;

/** A node's log is JSON, a line each. Where there is a warning or worse, what merely went well says nothing of a fault. */
function worthSaying(lines: readonly string[]): readonly string[] {
	const told = lines.map(toldLine);
	const bad = told.filter(({ isBad }) => isBad);
	return (bad.length > 0 ? bad : told).map(({ text }) =>
		text.length > longestLine ? `${text.slice(0, longestLine)}…` : text,
	);
}

function toldLine(line: string): {
	readonly text: string;
	readonly isBad: boolean;
} {
	try {
		const { level, time, msg } = JSON.parse(line) as Record<string, unknown>;
		if (typeof msg !== "string") return { text: line, isBad: true };
		return { text: `${time} ${level}: ${msg}`, isBad: level !== "info" };
	} catch {
		// Not of the log: what ends a process is written as it comes.
		return { text: line, isBad: true };
	}
}
