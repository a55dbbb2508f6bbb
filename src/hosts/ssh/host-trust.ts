import type { ServerHostKeyAlgorithm } from "ssh2";
import { allowCertificates } from "./certificate-exchange.js";
import type { Destination } from "./destination.js";
import {
	changedHost,
	doubtfulCertificate,
	revokedKey,
	unknownHost,
	unreachable,
} from "./failures.js";
import {
	certificateTypes,
	isCertificate,
	judgeCertificate,
} from "./host-certificate.js";
import {
	authoritiesFor,
	judgeKey,
	type KnownHost,
	typesFor,
} from "./known-hosts.js";
import { addKnownHost } from "./known-hosts-file.js";

/** What cannot be written down is not believed: the next one would be a stranger again. */
export async function remember(
	{ knownHosts: [file], knownAs, name }: Destination,
	key: Buffer,
): Promise<void> {
	if (file === undefined) return;
	await addKnownHost(file, knownAs, key).catch((cause: unknown) => {
		throw unreachable(
			{ name },
			`the key of ${name} cannot be written to ${file}`,
			{
				...{ next: `make it writable, or add the key by hand`, cause },
			},
		);
	});
}

interface Judged {
	/** The host's own, where it showed a certificate. */
	readonly key: Buffer;
	/** Believed for the first time. */
	readonly isNew: boolean;
}

/** Throws OperatorError "unreachable" for a host that is not to be believed. */
export function judgeHost(
	destination: Destination,
	known: readonly KnownHost[],
	shown: Buffer,
): Judged {
	const { knownAs } = destination;
	if (!isCertificate(shown)) return judgePlain(destination, known, shown);
	const verdict = judgeCertificate(known, knownAs, {
		...{ shown, nowMs: Date.now() },
	});
	if (verdict.is === "malformed")
		throw doubtfulCertificate(destination, "it is damaged");
	const { key } = verdict;
	const plain = judgeKey(known, knownAs, key);
	if (plain.is === "revoked") throw revokedKey(destination, plain.known, key);
	if (verdict.is === "doubtful" && plain.is !== "known")
		throw doubtfulCertificate(destination, verdict.why);
	return { key, isNew: false };
}

function judgePlain(
	destination: Destination,
	known: readonly KnownHost[],
	key: Buffer,
): Judged {
	const { knownAs, hostKeys } = destination;
	const verdict = judgeKey(known, knownAs, key);
	switch (verdict.is) {
		case "known":
			return { key, isNew: false };
		case "revoked":
			throw revokedKey(destination, verdict.known, key);
		case "changed":
			throw changedHost(destination, key, verdict.known);
		case "unknown": {
			// Where an authority vouches for hosts of this name, one without its word is no newcomer.
			const isVouchedFor = authoritiesFor(known, knownAs).length > 0;
			if (hostKeys !== "accept-new" || isVouchedFor)
				throw unknownHost(destination, key);
			return { key, isNew: true };
		}
	}
}

/** SHA-1 signatures ("ssh-rsa") are left out, as OpenSSH does. */
const algorithms: readonly ServerHostKeyAlgorithm[] = [
	...(["ssh-ed25519", "ecdsa-sha2-nistp256"] as const),
	...(["ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"] as const),
	...(["rsa-sha2-512", "rsa-sha2-256"] as const),
];

/** The types that are known come first: any other that the host might show would have to be refused. */
export function algorithmsFor(
	known: readonly KnownHost[],
	{ knownAs }: Destination,
): ServerHostKeyAlgorithm[] {
	const types = typesFor(known, knownAs);
	const isVouchedFor = authoritiesFor(known, knownAs).length > 0;
	if (isVouchedFor) allowCertificates();
	const isKnown = (algorithm: string) =>
		types.includes(algorithm.startsWith("rsa-") ? "ssh-rsa" : algorithm);
	return [
		...(isVouchedFor ? (certificateTypes as ServerHostKeyAlgorithm[]) : []),
		...algorithms.filter(isKnown),
		...algorithms.filter((algorithm) => !isKnown(algorithm)),
	];
}
