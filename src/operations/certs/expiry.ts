import type { CertificatesStatus } from "../../cluster/engine.js";

const dayMs = 86_400_000;

/** What is about to end is a problem so long before. */
const noticeMs = 14 * dayMs;

/** A sentence, when it has ended or is about to. Pure. */
export function expiryProblem(
	what: string,
	expiresAtMs: number,
	{ nowMs, remedy }: { readonly nowMs: number; readonly remedy: string },
): readonly string[] {
	const leftMs = expiresAtMs - nowMs;
	if (leftMs > noticeMs) return [];
	const at = new Date(expiresAtMs).toISOString();
	return [
		leftMs <= 0
			? `${what} expired on ${at}; ${remedy}`
			: `${what} expires within ${Math.ceil(leftMs / dayMs)} days, on ${at}; ${remedy}`,
	];
}

export const renewal = "raftctl certs renew issues another";
export const replacement = "raftctl certs rotate replaces it";

/** What is wrong with the certificates that a node says it uses. Pure. */
export function certificateProblems(
	node: string,
	certificates: CertificatesStatus | null,
	nowMs: number,
): readonly string[] {
	if (certificates === null) return [];
	const { leaf, clientLeaf, authorities, fault } = certificates;
	const isOne = leaf.fingerprint === clientLeaf.fingerprint;
	const shown = isOne ? [leaf] : [leaf, clientLeaf];
	return [
		...shown.flatMap(({ expiresAtMs }) =>
			expiryProblem(`the certificate of ${node}`, expiresAtMs, {
				...{ nowMs, remedy: renewal },
			}),
		),
		...authorities.flatMap(({ expiresAtMs }) =>
			expiryProblem(`an authority that ${node} believes`, expiresAtMs, {
				...{ nowMs, remedy: replacement },
			}),
		),
		...(fault === ""
			? []
			: [`${node} goes on with older certificates: ${fault}`]),
	];
}
