import { certificatesIn, factsOf } from "../../certificates/examine.js";
import type { CertificatesStatus } from "../../cluster/engine.js";
import { gatherFacts } from "../../cluster/facts.js";
import { callOptions, type OperationContext } from "../context.js";
import { requireCertificates } from "./deliver.js";
import { expiryProblem, renewal, replacement } from "./expiry.js";
import { type Phase, phaseOf } from "./rotation.js";
import { requireTls } from "./wishes.js";

/** What `raftctl certs status --json` prints. */
export interface CertsStatusReport {
	readonly cluster: string;
	readonly directory: string;
	/** How far a replacement of the authority has come; "steady" while there is none. */
	readonly phase: Phase;
	/** False where certificates can be shown but none issued. */
	readonly hasKey: boolean;
	readonly certificates: readonly CertificateReport[];
	readonly nodes: readonly NodeCertificateReport[];
	/** What is wrong, in sentences; empty when nothing is. */
	readonly problems: readonly string[];
}

interface CertificateReport {
	/** authority, node or role. */
	readonly kind: "authority" | "node" | "role";
	readonly name: string;
	readonly fingerprint: string;
	readonly names: string;
	readonly expiresAtMs: number;
}

/** What a node says that it uses. */
interface NodeCertificateReport {
	readonly node: string;
	/** Why it is not known; empty when it is. */
	readonly fault: string;
	/** Null when it is not known. */
	readonly uses: CertificatesStatus | null;
	/** Whether that is what lies here for it. */
	readonly isCurrent: boolean;
}

/** What was issued, what the nodes use, and when it ends. Changes nothing. */
export async function certificatesStatus(
	context: OperationContext,
): Promise<CertsStatusReport> {
	const { inventory, engine, signal, clock } = context;
	const { directory } = requireTls(inventory);
	const stored = await requireCertificates(inventory);
	const certificates = [
		...certificatesIn(stored.bundle).map((one) => ({
			...{ kind: "authority" as const, certificate: one },
			name: factsOf(one).subject,
		})),
		...[...stored.nodes].map(([name, text]) => ({
			...{ kind: "node" as const, name, certificate: certificatesIn(text)[0] },
		})),
		...[...stored.roles].map(([name, text]) => ({
			...{ kind: "role" as const, name, certificate: certificatesIn(text)[0] },
		})),
	].flatMap(({ kind, name, certificate }): CertificateReport[] => {
		if (certificate === undefined) return [];
		const facts = factsOf(certificate);
		return [
			{
				...{ kind, name, fingerprint: facts.fingerprint },
				...{ names: facts.alternativeNames, expiresAtMs: facts.notAfterMs },
			},
		];
	});
	const facts = await gatherFacts(
		engine,
		{ clusterId: inventory.id, nodes: inventory.nodes },
		callOptions(signal),
	);
	const nodes = facts.nodes.map(({ id, status, fault }) => {
		const uses = status?.certificates ?? null;
		const own = certificates.find(
			(one) => one.kind === "node" && one.name === id,
		);
		return {
			...{ node: id, uses },
			fault: uses === null && status !== null ? "speaks no TLS" : fault,
			isCurrent:
				uses !== null &&
				uses.leaf.fingerprint === own?.fingerprint &&
				uses.fault === "",
		};
	});
	const report = {
		...{ cluster: inventory.name, directory, phase: phaseOf(stored) },
		...{ hasKey: stored.authority !== null, certificates, nodes },
	};
	return { ...report, problems: problemsOf(report, clock.unixMs()) };
}

function problemsOf(
	{ phase, certificates, nodes }: Omit<CertsStatusReport, "problems">,
	nowMs: number,
): readonly string[] {
	return [
		...(phase === "steady"
			? []
			: [
					`the authority is being replaced, and the phase "${phase}" is not over; raftctl certs rotate goes on`,
				]),
		...certificates.flatMap(({ kind, name, expiresAtMs }) => {
			const isAuthority = kind === "authority";
			const what = isAuthority
				? `the authority ${name}`
				: `the certificate of ${name}`;
			const remedy = isAuthority ? replacement : renewal;
			return expiryProblem(what, expiresAtMs, { nowMs, remedy });
		}),
		...nodes.flatMap(({ node, fault, uses, isCurrent }) => {
			if (uses === null) return [`${node}: ${fault}`];
			if (uses.fault !== "") return [`${node}: ${uses.fault}`];
			return isCurrent || phase === "use"
				? []
				: [`${node} uses another certificate than the one that lies here`];
		}),
	];
}
