import type { ReplayReport } from "./replay.js";

/** For people: whether it came to the same, and what was compared. */
export function replayText(report: ReplayReport): string {
	const { from, to, middle, digests, snapshots, difference } = report;
	const start = from === 0 ? "the beginning" : `the snapshot at index ${from}`;
	const entries = `${to - from} ${to - from === 1 ? "entry" : "entries"} from ${start} to index ${to}`;
	const subject = `machine ${report.machine}, ${entries}`;
	if (difference === null) {
		const compared = [
			"every result",
			`${digests} ${digests === 1 ? "digest" : "digests"} on the way`,
			`a restore after entry ${middle}`,
			...snapshots.map((index) => `the node's own snapshot at index ${index}`),
			"the state at the end",
		];
		return [
			`${report.directory}: THE SAME, twice`,
			`replayed: ${subject}`,
			`compared: ${compared.join(", ")}`,
			"This shows no mistake of the machine; it does not show that there is none.",
		].join("\n");
	}
	const { index, what, message } = difference;
	const isFailure = what === "failure" || what === "unreadable-entry";
	const verdict = isFailure ? "STOPPED" : "DIFFERENT";
	return [
		`${report.directory}: ${verdict} at index ${index} (${what})`,
		`replayed: ${subject}`,
		`what:     ${message}`,
		isFailure
			? "next:     use the release and the module (--app) that the node runs"
			: `next:     look at the entries up to there (raftd dump --to ${index}), then at what the machine does with them (docs/state-machine.md, "The traps")`,
	].join("\n");
}
