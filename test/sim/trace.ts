import type { Message } from "../../src/raft/types.js";

/** How many events a failure shows. */
const keptEvents = 40;

interface Line {
	atMs: number;
	what: string;
	payload: unknown;
}

/** The last events. They are put into words only when somebody will read them. */
export class Trace {
	readonly #ring: Line[] = [];
	#count = 0;
	/** Receives every line at once; for a replay that is watched. */
	readonly #live: ((line: string) => void) | null;

	constructor(live: ((line: string) => void) | null) {
		this.#live = live;
		for (let i = 0; i < keptEvents; i++)
			this.#ring.push({ atMs: 0, what: "", payload: null });
	}

	/** `payload` is a message, or anything that JSON can hold. */
	note(atMs: number, what: string, payload: unknown): void {
		const line = this.#ring[this.#count++ % keptEvents] as Line;
		line.atMs = atMs;
		line.what = what;
		line.payload = payload;
		if (this.#live !== null) this.#live(describe(line));
	}

	lines(): string[] {
		const next = this.#count % keptEvents;
		return [...this.#ring.slice(next), ...this.#ring.slice(0, next)]
			.filter((line) => line.what !== "")
			.map(describe);
	}
}

function describe({ atMs, what, payload }: Line): string {
	const detail =
		payload === null
			? ""
			: isMessage(payload)
				? describeMessage(payload)
				: JSON.stringify(payload);
	return `${atMs.toFixed(3).padStart(12)}  ${what} ${detail}`;
}

function isMessage(payload: unknown): payload is Message {
	return typeof payload === "object" && payload !== null && "type" in payload;
}

/** A message in one line, with what decides its effect. */
export function describeMessage(message: Message): string {
	const head = `${message.from}->${message.to} t${message.term} ${message.type}`;
	switch (message.type) {
		case "vote-request":
			return `${head}${flags({ pre: message.pre, transfer: message.transfer })} #${message.attempt} last=${message.lastIndex}/t${message.lastTerm}`;
		case "vote-response":
			return `${head}${flags({ pre: message.pre })} #${message.attempt} ${message.granted ? "granted" : "refused"}`;
		case "append-request":
			return `${head} s${message.session} prev=${message.prevIndex}/t${message.prevTerm} entries=${message.entries.length} commit=${message.commit}`;
		case "append-response":
			return message.success
				? `${head} s${message.session} match=${message.match}`
				: `${head} s${message.session} rejected=${message.rejected} hint=${message.hintIndex}/t${message.hintTerm}`;
		case "heartbeat":
			return `${head} s${message.session} commit=${message.commit} read=${message.read}`;
		case "heartbeat-response":
			return `${head} s${message.session} read=${message.read}`;
		case "snapshot-offer":
			return `${head} s${message.session} snapshot=${message.snapshotIndex}/t${message.snapshotTerm}`;
		case "read-request":
			return `${head} #${message.sequence}`;
		case "read-response":
			return `${head} #${message.sequence} index=${message.index}`;
		case "timeout-now":
			return head;
	}
}

function flags(values: Record<string, boolean>): string {
	return Object.entries(values)
		.filter(([, on]) => on)
		.map(([name]) => ` ${name}`)
		.join("");
}
