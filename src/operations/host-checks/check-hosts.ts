import { certificatesIn, factsOf } from "../../certificates/examine.js";
import { OperatorError, reasonOf } from "../../errors.js";
import { requireCertificates } from "../certs/deliver.js";
import { expiryProblem, renewal, replacement } from "../certs/expiry.js";
import { commandFor, type OperationContext } from "../context.js";
import { hostFaults } from "../deploy/faults.js";
import { surveyHosts } from "../deploy/survey.js";
import type { Finding } from "./finding.js";
import { hostsInUse } from "./hosts.js";
import { type Looked, lookAt, type Seen } from "./look.js";
import { reachFindings, tryWays, waysAmong } from "./reach.js";
import {
	architectureFindings,
	clockFindings,
	hostFindings,
	unreachableFinding,
} from "./verdicts.js";

export { hostsInUse };

/** What `raftctl doctor --json` prints of hosts. */
export interface HostsReport {
	readonly cluster: string;
	readonly hosts: readonly HostReport[];
	/** The worst first. */
	readonly findings: readonly Finding[];
	/** Nothing found stands in the way of a deploy. */
	readonly healthy: boolean;
}

/** Null where it could not be known. */
export interface HostReport {
	readonly host: string;
	readonly nodes: readonly string[];
	readonly reachable: boolean;
	readonly stepMs: number | null;
	/** How far its clock is ahead of this machine's, as far as it can be told. */
	readonly aheadMs: number | null;
	readonly arch: string | null;
	readonly systemdVersion: number | null;
	readonly glibc: string | null;
	/** Installed there, besides what releases bring. */
	readonly nodeJs: string | null;
	readonly availableMemoryBytes: number | null;
	/** Where nodes have their files. */
	readonly freeBytes: number | null;
	/** Of a write of 4 KiB until it is on that disk. */
	readonly syncMs: number | null;
}

/** Looks at every host of the cluster file, at all at once, and at the ways between them. Changes nothing. */
export async function checkHosts(
	context: OperationContext,
): Promise<HostsReport> {
	const { inventory } = context;
	const looked = await Promise.all(
		hostsInUse(inventory).map((role) => lookAt(context, role)),
	);
	const present = looked.flatMap(({ role, seen }) =>
		seen === null ? [] : [{ name: role.name, role, seen }],
	);
	const [network, places, certificates] = await Promise.all([
		networkFindings(context, present),
		placeFindings(context, present),
		certificateFindings(context),
	]);
	const findings = [
		...looked.filter(({ seen }) => seen === null).map(unreachableFinding),
		...present.flatMap((one) => hostFindings(one, inventory.deploy.user)),
		...clockFindings(present),
		...architectureFindings(
			present.filter(({ role }) => role.nodes.length > 0),
		),
		...network,
		...places,
		...certificates,
	];
	const ranks = ["problem", "warning", "note"];
	return {
		cluster: inventory.name,
		hosts: looked.map(hostReport),
		findings: findings.sort(
			(one, other) =>
				ranks.indexOf(one.severity) - ranks.indexOf(other.severity),
		),
		healthy: findings.every(({ severity }) => severity !== "problem"),
	};
}

type Present = Looked & { readonly name: string; readonly seen: Seen };

async function networkFindings(
	context: OperationContext,
	present: readonly Omit<Present, "error">[],
): Promise<Finding[]> {
	const ways = waysAmong(
		context.inventory,
		present.map(({ name }) => name),
	);
	const able = present.filter(({ seen }) => seen.hasPerl);
	const tried = await tryWays(context, ways, [
		"local",
		...able.map(({ name }) => name),
	]);
	return reachFindings(ways, tried);
}

/** What a deploy would refuse. Ports and rights are looked at more closely than a deploy does. */
async function placeFindings(
	context: OperationContext,
	present: readonly Omit<Present, "error">[],
): Promise<Finding[]> {
	const nodes = present.flatMap(({ role }) => role.nodes);
	const { found, unknown } = await surveyHosts(context, nodes);
	return [
		...found.flatMap((one) =>
			hostFaults(context.inventory, {
				...one,
				survey: { ...one.survey, listens: [] },
			}),
		),
		...unknown.map(({ host, error }) => ({
			...{ host, what: reasonOf(error) },
			remedy: remedyOf(error) ?? "give the command again",
		})),
	].map(({ host, what, remedy }) => ({
		...{ severity: "problem" as const, check: "place" as const },
		...{ host, what, remedy },
	}));
}

async function certificateFindings({
	inventory,
	clock,
}: OperationContext): Promise<Finding[]> {
	if (inventory.tls === null) return [];
	const tell = (what: string, remedy: string): Finding => ({
		...{ severity: "problem", host: null, check: "certificates" },
		...{ what, remedy },
	});
	try {
		const stored = await requireCertificates(inventory);
		const nowMs = clock.unixMs();
		const ending = (what: string, text: string, remedy: string) =>
			certificatesIn(text).flatMap((one) =>
				expiryProblem(what, factsOf(one).notAfterMs, { nowMs, remedy }),
			);
		const missing = inventory.nodes.filter(({ id }) => !stored.nodes.has(id));
		return [
			...missing.map(({ id }) =>
				tell(
					`${id} has no certificate`,
					`${commandFor({ inventory }, "certs renew")} issues one`,
				),
			),
			...[
				...ending("the authority", stored.bundle, replacement),
				...[...stored.nodes, ...stored.roles].flatMap(([name, text]) =>
					ending(`the certificate of ${name}`, text, renewal),
				),
			].map((sentence) => {
				const [what = "", remedy = ""] = sentence.split("; ");
				return tell(what, remedy);
			}),
		];
	} catch (error) {
		return [
			tell(
				reasonOf(error),
				remedyOf(error) ?? commandFor({ inventory }, "certs status"),
			),
		];
	}
}

function remedyOf(error: unknown): string | undefined {
	return error instanceof OperatorError ? error.next : undefined;
}

function hostReport({ role, seen }: Looked): HostReport {
	return {
		host: role.name,
		nodes: role.nodes.map(({ id }) => id),
		reachable: seen !== null,
		stepMs: seen === null ? null : Math.round(seen.stepMs),
		aheadMs: seen === null ? null : Math.round(seen.aheadMs),
		arch: seen?.arch ?? null,
		systemdVersion: seen?.systemdVersion ?? null,
		glibc: seen?.glibc ?? null,
		nodeJs: seen?.nodeJs ?? null,
		availableMemoryBytes: seen?.availableMemoryBytes ?? null,
		freeBytes: seen?.freeBytes ?? null,
		syncMs: seen?.syncMs ?? null,
	};
}
