import { EntryKind } from "../../raft/types.js";
import type {
	ForwardedKind,
	ForwardOutcome,
} from "../../wire/forward-frames.js";
import type { CommandOutcome } from "../replica.js";
import { opensSession } from "./session-opening.js";

/** Bytes that a pending command costs beside its own. */
const overheadBytes = 128;

/** Where the outcome goes: to a callback in this process, or back to the follower that forwarded the command. */
export type RequestOrigin =
	| {
			readonly kind: "local";
			readonly client: string;
			done(outcome: CommandOutcome): void;
	  }
	| {
			readonly kind: "peer";
			readonly peer: string;
			readonly link: number;
			readonly requestId: number;
	  };

/**
 * A command on its way, and where it is. queued: nothing has been tried, so failing it is certain. proposed: in this
 * leader's log. forwarded: sent to the leader. ended: answered; what still arrives for it is passed over.
 */
export class Request {
	readonly kind: ForwardedKind;
	/** Of the entry format that it is written in; 0 leaves it to the leader. */
	readonly level: number;
	readonly command: Uint8Array;
	readonly ack: "none" | "commit" | "apply";
	/** By this node's clock. */
	readonly deadlineMs: number;
	readonly origin: RequestOrigin;
	place: "queued" | "proposed" | "forwarded" | "ended" = "queued";
	/** With ack none: the client has its answer. */
	answered = false;

	constructor(options: {
		readonly kind: ForwardedKind;
		readonly level: number;
		readonly command: Uint8Array;
		readonly ack: "none" | "commit" | "apply";
		readonly deadlineMs: number;
		readonly origin: RequestOrigin;
	}) {
		this.kind = options.kind;
		this.level = options.level;
		this.command = options.command;
		this.ack = options.ack;
		this.deadlineMs = options.deadlineMs;
		this.origin = options.origin;
	}

	get bytes(): number {
		return this.command.length + overheadBytes;
	}

	/** The operator's, for which there is room under any load. */
	get isControl(): boolean {
		return this.kind === EntryKind.control && !opensSession(this.command);
	}
}

/** What a request ends with: `retry` is certain non-execution, and only the asking follower makes use of it. */
export type RequestOutcome = CommandOutcome | ForwardOutcome;
