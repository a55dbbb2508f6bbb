import { OperatorError } from "../../errors.js";
import type { Machine } from "../../machines/machine.js";
import { type ReadLog, readLog } from "../../storage/verify.js";
import { type DataDirectory, reading } from "./data-directory.js";
import { type EntryWords, wordsOf } from "./entry-words.js";
import { type Output, writeLines } from "./output.js";
import { safeJson } from "./text.js";

export interface DumpOptions {
	/** Null for the first there is. */
	readonly from: number | null;
	/** Null for the last there is. */
	readonly to: number | null;
	readonly ndjson: boolean;
	/** Null when it is not known whose commands these are: they are shown as hexadecimal. */
	readonly machine: Machine | null;
}

/**
 * Writes the log's entries, one a line, without holding more than a mebibyte or so of them. Resolves with what the
 * reader should know besides, a sentence each, and whether the log is damaged: then it ends where the damage begins.
 */
export function dumpLog(
	directory: DataDirectory,
	options: DumpOptions,
	output: Output,
): Promise<{ readonly remarks: string[]; readonly isDamaged: boolean }> {
	return reading(directory.wal, async () => {
		const { wal, disk, holder } = directory;
		const log = readLog({ directory: wal, disk });
		const range = rangeIn(log, options, wal);
		await writeLines(output, linesOf(log, range, options));
		const isDamaged = holder === null && log.report.state === "damaged";
		return { remarks: remarksOn(directory, log, range, isDamaged), isDamaged };
	});
}

interface Range {
	readonly first: number;
	readonly last: number;
}

function rangeIn(log: ReadLog, { from, to }: DumpOptions, wal: string): Range {
	const { firstIndex, lastIndex } = log.recovered;
	const first = Math.max(from ?? firstIndex, firstIndex);
	const last = Math.min(to ?? lastIndex, lastIndex);
	const asks = from !== null || to !== null;
	if (first <= last || !asks) return { first, last };
	const isEmpty = lastIndex < firstIndex;
	const isBeyond = from !== null && from > lastIndex && !isEmpty;
	throw new OperatorError(
		"usage",
		isBeyond
			? `the log ends at index ${lastIndex}, before --from ${from}`
			: `${wal} has none of these entries`,
		{
			problems: [
				isEmpty
					? "it holds no entry"
					: `it holds those from ${firstIndex} to ${lastIndex}`,
			],
			state: "nothing was changed",
			next:
				firstIndex > 1 && !isBeyond
					? `a snapshot stands for what was before ${firstIndex}: raftd doctor tells its index, dump --snapshot INDEX shows it`
					: "choose --from and --to among them",
		},
	);
}

function* linesOf(
	log: ReadLog,
	{ first, last }: Range,
	{ ndjson, machine }: DumpOptions,
): Generator<string> {
	const { commit } = log.recovered.hardState;
	yield ndjson ? safeJson(headOf(log)) : header;
	for (const entry of log.entries(first, last)) {
		const words = wordsOf(entry, machine);
		const isCommitted = entry.index <= commit;
		yield ndjson
			? safeJson({ version: 1, type: "entry", ...words, isCommitted })
			: lineOf(words);
	}
}

function headOf({ report }: ReadLog) {
	const { clusterId, nodeId, state, firstIndex, lastIndex } = report;
	const { term, votedFor, commit } = report;
	return {
		...{ version: 1, type: "log", clusterId, nodeId, state },
		...{ firstIndex, lastIndex, term, votedFor, commit },
	};
}

const header = "     index    term  kind            level    bytes  content";
/** Of a longer one the beginning is shown. */
const shownCharacters = 400;

function lineOf(words: EntryWords): string {
	const { index, term, kind, level, bytes, session, content, hex } = words;
	const stamp =
		session === undefined
			? ""
			: `session ${session.id} command ${session.sequence} (acknowledged ${session.acknowledged}) `;
	const told =
		content === undefined
			? hex === undefined
				? ""
				: `0x${hex}`
			: safeJson(content);
	const rest = told.length - shownCharacters;
	const cut =
		rest > 0
			? `${told.slice(0, shownCharacters)}… (${rest} characters more: --ndjson)`
			: told;
	return [
		String(index).padStart(10),
		String(term).padStart(6),
		kind.padEnd(14),
		String(level).padStart(5),
		String(bytes).padStart(7),
		`${stamp}${cut}`,
	]
		.join("  ")
		.trimEnd();
}

function remarksOn(
	{ holder }: DataDirectory,
	{ recovered, report }: ReadLog,
	{ last }: Range,
	isDamaged: boolean,
): string[] {
	const { commit } = recovered.hardState;
	const remarks: string[] = [];
	if (holder !== null)
		remarks.push(
			`the directory is in use by ${holder}: this is its log as it was a moment ago, and the newest entries may be missing`,
		);
	// After damage the newest hint is not known.
	if (last > commit && report.state !== "damaged")
		remarks.push(
			`the node did not note the entries after ${commit} as committed: they may be, or may be replaced`,
		);
	if (isDamaged)
		remarks.push(
			`the log is damaged after index ${report.lastIndex ?? 0}, and nothing after it is shown; raftd doctor says more`,
		);
	return remarks;
}
