import type { CertsInitReport } from "../operations/certs/init.js";
import type { CertsRenewReport } from "../operations/certs/renew.js";
import type { RotateReport } from "../operations/certs/rotate.js";
import type { CertsStatusReport } from "../operations/certs/status.js";
import { canaryLines } from "./report-cost.js";
import { textTable } from "./text-table.js";

export function certsInitText({
	directory,
	nodes,
	roles,
}: CertsInitReport): string {
	return [
		`made an authority in ${directory}`,
		`certificates for ${nodes.join(", ")}, and for operators: ${roles.join(", ")}`,
		"keep ca.key where it is and nowhere else; applications that verify nodes need ca.crt",
	].join("\n");
}

const dayMs = 86_400_000;

export function certsStatusText(
	report: CertsStatusReport,
	nowMs: number,
): string {
	const { directory, phase, hasKey, certificates, nodes, problems } = report;
	const used = (kind: string, name: string) => {
		if (kind !== "node") return "";
		const node = nodes.find((one) => one.node === name);
		if (node === undefined) return "not in the cluster file";
		return node.uses === null ? node.fault : node.isCurrent ? "yes" : "another";
	};
	return [
		`${directory}${hasKey ? "" : ", without the authority's key"}`,
		"",
		textTable(
			["WHAT", "NAME", "EXPIRES", "LEFT", "USED"],
			certificates.map(({ kind, name, expiresAtMs }) => [
				kind,
				name,
				new Date(expiresAtMs).toISOString().slice(0, 10),
				left(expiresAtMs - nowMs),
				used(kind, name),
			]),
		),
		...(phase === "steady" ? [] : ["", `rotation: in the phase "${phase}"`]),
		...(problems.length === 0 ? [] : ["", ...problems]),
	].join("\n");
}

function left(ms: number): string {
	if (ms <= 0) return "expired";
	return ms < dayMs
		? `${Math.floor(ms / 3_600_000)} h`
		: `${Math.floor(ms / dayMs)} days`;
}

export function certsRenewText({ renewed, roles }: CertsRenewReport): string {
	return [
		`${renewed.join(", ")} use new certificates`,
		...(roles.length === 0
			? []
			: [
					`operators' certificates are new as well: copy them to where else they are used (${roles.join(", ")})`,
				]),
	].join("\n");
}

export function certsRotateText({ phase, until, cost }: RotateReport): string {
	const lines = {
		trust: [
			"every node believes the old and the new authority",
			"give applications the new ca.crt, then: raftctl certs rotate",
		],
		use: [
			"every node shows a certificate of the new authority",
			"copy operators/*.pem to other operators' machines, then: raftctl certs rotate",
		],
		drop: ["the authority was replaced, and the old one is forgotten"],
	}[phase === "steady" ? "drop" : until];
	return [...lines, ...canaryLines(cost)].join("\n");
}
