import type { DiffReport } from "../operations/diff.js";
import { textTable } from "./text-table.js";

/** `raftctl diff` for people: a line for each difference, and what ends each. */
export function diffText({
	cluster,
	differences,
	unasked,
	unfinished,
}: DiffReport): string {
	const notCompared = unasked.map(
		({ what, why }) => `not compared: ${what}: ${why}`,
	);
	if (differences.length === 0) {
		const but = unasked.length === 0 ? "" : ", as far as could be asked";
		return [
			`the file says what the cluster ${cluster} is${but}`,
			...notCompared,
		].join("\n");
	}
	const count =
		differences.length === 1
			? "1 difference"
			: `${differences.length} differences`;
	const rows = differences.map(({ about, node, key, file, cluster: has }) => [
		node ?? "-",
		key === null ? about : `${about} ${key}`,
		file ?? "-",
		has ?? "-",
	]);
	return [
		`${count} between the file and the cluster ${cluster}`,
		"",
		textTable(["NODE", "WHAT", "FILE", "CLUSTER"], rows),
		"",
		unfinished === null
			? "either of these ends it:"
			: `"${unfinished.text ?? unfinished.id}" is not finished (${unfinished.state}), and comes first:`,
		...differences.flatMap(({ about, node, next }) => [
			`  ${[node, about].filter((word) => word !== null).join(" ")}`,
			...next.map((way) => `    ${way}`),
		]),
		...notCompared,
	].join("\n");
}
