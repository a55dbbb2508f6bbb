import { OperatorError } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import type { Clock } from "../clock.js";
import { type LogLine, logLineOf } from "./log-line.js";
import {
	type LogPage,
	type LogSource,
	type LogWish,
	pageBytes,
} from "./source.js";

interface JournalOptions {
	readonly node: string;
	readonly unit: string;
	/** Throws OperatorError "unreachable". */
	readonly host: () => Promise<Host>;
	readonly wish: LogWish;
	readonly clock: Clock;
}

/** Looking for one unit's entries in a journal of gigabytes on a slow disk. */
const lookTimeoutMs = 30_000;

/**
 * The pipe takes journalctl's exit code away, so it is said where errors are said; being cut off by head is none (141 is
 * SIGPIPE).
 */
const script = `limit=$1
shift
{ journalctl "$@" || { code=$?; [ "$code" = 141 ] || echo "journalctl: exit $code" >&2; }; } | head -c "$limit"`;

/** What journalctl says to an account that may not read what others wrote; it is no error to it. */
const blind = /not seeing messages from other users/;

/** A node's log in the journal of its host. */
export function journalSource(options: JournalOptions): LogSource {
	return new JournalSource(options);
}

class JournalSource implements LogSource {
	readonly node: string;
	readonly #options: JournalOptions;
	readonly #openedAtMs: number;
	#cursor: string | null = null;
	/** Of the last entry that was read, in microseconds since the Unix epoch. */
	#readToUs = 0;
	/** The cursor is of a journal that is no more. */
	#isLost = false;
	#isBlind = false;
	#isEmpty = false;

	constructor(options: JournalOptions) {
		this.#options = options;
		this.node = options.node;
		this.#openedAtMs = options.clock.now();
	}

	async read(signal: AbortSignal): Promise<LogPage> {
		const { unit, host } = this.#options;
		const isFirst = this.#cursor === null;
		const { stdout, stderr } = await (await host()).run(
			[
				...["sh", "-c", script, "sh", String(pageBytes)],
				...[`--unit=${unit}`, "--no-pager", "--output=json", "--all"],
				"--output-fields=MESSAGE",
				...this.#from(),
			],
			{ timeoutMs: lookTimeoutMs, signal },
		);
		this.#requireRead(stderr);
		const isCut = Buffer.byteLength(stdout) >= pageBytes;
		const entries = entriesOf(stdout, isCut).filter(
			({ atUs }) => !this.#isLost || atUs > this.#readToUs,
		);
		const last = entries.at(-1);
		if (last !== undefined) {
			this.#cursor = last.cursor;
			this.#readToUs = last.atUs;
			this.#isLost = false;
		}
		const { lines: limit } = this.#options.wish;
		// The newest one alone says where to go on when none is wanted.
		const shown = isFirst && limit === 0 ? [] : entries;
		return {
			lines: shown.map((entry) => this.#lineOf(entry)),
			more: isCut && last !== undefined,
			notes: this.#notesOf(stderr, isFirst && last === undefined),
		};
	}

	async close(): Promise<void> {}

	#from(): readonly string[] {
		if (this.#isLost) return [`--since=@${Math.floor(this.#readToUs / 1e6)}`];
		if (this.#cursor !== null) return [`--after-cursor=${this.#cursor}`];
		const { wish, clock } = this.#options;
		const lines = `--lines=${Math.max(1, wish.lines)}`;
		if (wish.sinceMs === null) return [lines];
		// By the clock of the host, and the same moment as long as nothing was found.
		const agoMs = wish.sinceMs + clock.now() - this.#openedAtMs;
		return [`--since=-${Math.ceil(agoMs / 1000)}s`, lines];
	}

	#requireRead(stderr: string): void {
		const exit = /^journalctl: exit (\d+)$/m.exec(stderr)?.[1];
		if (exit === undefined) return;
		// Whoever made the machine anew made its journal anew.
		if (this.#cursor !== null) this.#isLost = true;
		const said = stderr
			.split("\n")
			.filter((line) => line !== "" && !line.startsWith("journalctl: exit"));
		throw new OperatorError(
			"unexpected",
			`its journal could not be read: ${said.at(-1) ?? `exit code ${exit}`}`,
			{ node: this.node },
		);
	}

	#notesOf(stderr: string, isEmpty: boolean): readonly string[] {
		const { unit, wish } = this.#options;
		const notes: string[] = [];
		if (blind.test(stderr) && !this.#isBlind) {
			this.#isBlind = true;
			notes.push(
				"the account on its host may not read the journal of others, so lines are missing. As root there: usermod --append --groups systemd-journal, and the account's name",
			);
		}
		if (isEmpty && wish.sinceMs === null && !this.#isBlind && !this.#isEmpty) {
			this.#isEmpty = true;
			notes.push(`the journal of its host has nothing of ${unit}`);
		}
		return notes;
	}

	#lineOf({ text, atUs }: Entry): LogLine {
		const atMs = Math.floor(atUs / 1000);
		return logLineOf(text, { node: this.node, atMs });
	}
}

interface Entry {
	readonly cursor: string;
	readonly atUs: number;
	readonly text: string;
}

/** The last line of a page that was cut is not whole. */
function entriesOf(stdout: string, isCut: boolean): Entry[] {
	const lines = stdout.split("\n");
	if (isCut) lines.pop();
	return lines.flatMap((line) => {
		// journalctl says "-- No entries --" and "-- Boot … --" in between.
		if (!line.startsWith("{")) return [];
		const entry = JSON.parse(line) as Record<string, unknown>;
		const atUs = Number(entry.__REALTIME_TIMESTAMP);
		const cursor = entry.__CURSOR;
		if (typeof cursor !== "string" || !Number.isFinite(atUs)) return [];
		return [{ cursor, atUs, text: messageOf(entry.MESSAGE) }];
	});
}

/** What is not UTF-8 or not printable comes as a list of bytes. */
function messageOf(message: unknown): string {
	if (typeof message === "string") return message;
	if (!Array.isArray(message)) return "";
	const bytes = message.filter((byte) => Number.isInteger(byte));
	return Buffer.from(bytes).toString("utf8");
}
