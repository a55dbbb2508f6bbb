import type { BuildReport } from "../operations/releases/build.js";
import type { ReleaseManifest } from "../operations/releases/manifest.js";
import type {
	NodeRelease,
	UpgradeStatus,
} from "../operations/upgrade/status.js";
import { textTable } from "./text-table.js";

export function upgradeText({
	nodes,
	writeLevel,
	finalize,
}: UpgradeStatus): string {
	return [
		textTable(
			["NODE", "RELEASE", "MACHINE", "READS", "WRITES", "NEXT START"],
			nodes.map(rowOf),
		),
		"",
		writeLevel === null
			? "what the cluster writes is not known: no leader that a quorum confirms"
			: `the cluster writes level ${writeLevel}`,
		finalizeText(finalize),
	].join("\n");
}

function rowOf({
	node,
	release,
	machine,
	reads,
	writes,
	next,
}: NodeRelease): string[] {
	return [
		...[node, release ?? "does not answer", machine ?? "-"],
		...[reads === null ? "-" : levels(reads), String(writes ?? "-")],
		next === null || next === release ? "the same" : next,
	];
}

function finalizeText(finalize: UpgradeStatus["finalize"]): string {
	if (finalize.kind === "refused")
		return [
			"the upgrade cannot be finalized:",
			...finalize.reasons.map((reason) => `  ${reason}`),
		].join("\n");
	return finalize.kind === "possible"
		? `every member reads level ${finalize.level}: raftctl upgrade finalize lets the cluster write it`
		: "there is nothing to finalize";
}

export function builtText({ path, bytes, manifest }: BuildReport): string {
	return [
		`built ${path}, ${(bytes / (1024 * 1024)).toFixed(1)} MiB`,
		releaseText(manifest),
	].join("\n");
}

export function releaseText({
	version,
	raftd,
	machine,
	app,
	runtime,
}: ReleaseManifest): string {
	return [
		`version   ${version}`,
		`machine   ${machine.name}, reads level ${levels(machine.reads)}, writes level ${machine.writes}`,
		`app       ${app ?? "none: the bundled key-value machine"}`,
		`raftd     ${raftd}`,
		`Node.js   ${runtime === null ? "that of the host" : `${runtime.node} for ${runtime.platform} on ${runtime.arch}`}`,
	].join("\n");
}

function levels([first, last]: readonly [number, number]): string {
	return first === last ? `${first}` : `${first} to ${last}`;
}
