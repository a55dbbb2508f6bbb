import { createPublicKey, verify } from "node:crypto";
import {
	authoritiesFor,
	type HostName,
	type KnownHost,
	matchesPattern,
	typeOf,
} from "./known-hosts.js";
import { WordReader } from "./word-reader.js";

const suffix = "-cert-v01@openssh.com";

/** RFC-less, but written down: PROTOCOL.certkeys of OpenSSH. */
interface HostCertificate {
	/** The host's own key, as it would show it without a certificate. */
	readonly key: Buffer;
	/** 2 for hosts. */
	readonly kind: number;
	readonly names: readonly string[];
	readonly validAfter: bigint;
	readonly validBefore: bigint;
	readonly hasCriticalOptions: boolean;
	readonly authority: Buffer;
	/** All before the signature. */
	readonly signed: Buffer;
	readonly signature: Buffer;
}

/** How many words of its own each kind of key has behind its type. */
const keyParts: ReadonlyMap<string, number> = new Map([
	["ssh-ed25519", 1],
	["ecdsa-sha2-nistp256", 2],
	["ecdsa-sha2-nistp384", 2],
	["ecdsa-sha2-nistp521", 2],
]);

/** What a host may be asked for where an authority vouches for its name. */
export const certificateTypes = [...keyParts.keys()].map(
	(type) => `${type}${suffix}`,
);

export function isCertificate(key: Buffer): boolean {
	return typeOf(key)?.endsWith(suffix) ?? false;
}

export type CertificateVerdict =
	| { readonly is: "vouched"; readonly key: Buffer }
	/** Its key may still be known by itself. */
	| { readonly is: "doubtful"; readonly key: Buffer; readonly why: string }
	| { readonly is: "malformed" };

/** Whether an authority that is known for this host vouches for its key, now. */
export function judgeCertificate(
	known: readonly KnownHost[],
	name: HostName,
	{ shown, nowMs }: { readonly shown: Buffer; readonly nowMs: number },
): CertificateVerdict {
	const certificate = parseCertificate(shown);
	if (certificate === null) return { is: "malformed" };
	const why = doubtAbout(certificate, { known, name, nowMs });
	const { key } = certificate;
	return why === null ? { is: "vouched", key } : { is: "doubtful", key, why };
}

function doubtAbout(
	certificate: HostCertificate,
	{
		known,
		name,
		nowMs,
	}: {
		readonly known: readonly KnownHost[];
		readonly name: HostName;
		readonly nowMs: number;
	},
): string | null {
	const authority = authoritiesFor(known, name).find(({ key }) =>
		key.equals(certificate.authority),
	);
	if (authority === undefined) return "no known authority signed it";
	if (certificate.kind !== hostKind) return "it is a user's, not a host's";
	if (!isSigned(certificate)) return "its signature is wrong";
	const now = BigInt(Math.floor(nowMs / 1000));
	if (now < certificate.validAfter) return "it is not valid yet";
	if (now >= certificate.validBefore) return "it has expired";
	const host = name.host.toLowerCase();
	// OpenSSH takes none at all for every name; whoever signs such a one means nobody.
	if (!certificate.names.some((own) => matchesPattern(own.toLowerCase(), host)))
		return `it is for ${certificate.names.join(", ") || "nobody"}`;
	return certificate.hasCriticalOptions
		? "it demands what raftctl does not know"
		: null;
}

const hostKind = 2;

/** Null for anything that is not one, whole. */
export function parseCertificate(bytes: Buffer): HostCertificate | null {
	const reader = new WordReader(bytes);
	try {
		const type = reader.text();
		const parts = keyParts.get(type.slice(0, -suffix.length));
		if (!type.endsWith(suffix) || parts === undefined) return null;
		reader.bytes(); // A nonce, so that nobody can foretell what is signed.
		const own = Array.from({ length: parts }, () => reader.bytes());
		reader.skip(8); // The serial number.
		const kind = reader.uint32();
		reader.bytes(); // The certificate's name.
		const names = new WordReader(reader.bytes()).rest();
		const [validAfter, validBefore] = [reader.uint64(), reader.uint64()];
		const critical = reader.bytes();
		reader.bytes(); // Extensions, which a host has none of.
		reader.bytes(); // Reserved.
		const authority = reader.bytes();
		const signed = bytes.subarray(0, reader.at);
		const signature = reader.bytes();
		if (reader.at !== bytes.length) return null;
		const plain = [Buffer.from(type.slice(0, -suffix.length)), ...own];
		return {
			key: Buffer.concat(plain.flatMap((part) => [lengthOf(part), part])),
			...{ kind, names, validAfter, validBefore },
			hasCriticalOptions: critical.length > 0,
			...{ authority, signed, signature },
		};
	} catch (error) {
		if (error instanceof RangeError) return null;
		throw error;
	}
}

/** SHA-1 is not among them. */
const hashes: ReadonlyMap<string, string | null> = new Map([
	["ssh-ed25519", null],
	["ecdsa-sha2-nistp256", "sha256"],
	["ecdsa-sha2-nistp384", "sha384"],
	["ecdsa-sha2-nistp521", "sha512"],
	["rsa-sha2-256", "sha256"],
	["rsa-sha2-512", "sha512"],
]);

function isSigned({ authority, signed, signature }: HostCertificate): boolean {
	try {
		const reader = new WordReader(signature);
		const algorithm = reader.text();
		const hash = hashes.get(algorithm);
		const type = typeOf(authority);
		const fits = algorithm.startsWith("rsa-")
			? type === "ssh-rsa"
			: type === algorithm;
		if (hash === undefined || !fits) return false;
		const raw = reader.bytes();
		const key = createPublicKey({ key: jwkOf(authority), format: "jwk" });
		return algorithm.startsWith("ecdsa-")
			? verify(
					hash,
					signed,
					{ key, dsaEncoding: "ieee-p1363" },
					flatSignature(raw, key.asymmetricKeyDetails?.namedCurve ?? ""),
				)
			: verify(hash, signed, key, raw);
	} catch {
		// Whatever cannot be read as a signature is none.
		return false;
	}
}

/** A public key of SSH as Node.js reads it. Throws for what is none. */
function jwkOf(key: Buffer): import("node:crypto").JsonWebKey {
	const reader = new WordReader(key);
	const type = reader.text();
	const word = (bytes: Buffer) => bytes.toString("base64url");
	if (type === "ssh-ed25519")
		return { kty: "OKP", crv: "Ed25519", x: word(reader.bytes()) };
	if (type === "ssh-rsa") {
		const [e, n] = [reader.bytes(), reader.bytes()];
		return { kty: "RSA", e: word(unsigned(e)), n: word(unsigned(n)) };
	}
	const curve = reader.text();
	const point = reader.bytes();
	const half = (point.length - 1) / 2;
	if (point[0] !== 4 || !Number.isInteger(half))
		throw new RangeError("the point is compressed");
	return {
		...{ kty: "EC", crv: `P-${curve.replace("nistp", "")}` },
		x: word(point.subarray(1, 1 + half)),
		y: word(point.subarray(1 + half)),
	};
}

const fieldBytes: Readonly<Record<string, number>> = {
	...{ prime256v1: 32, secp384r1: 48, secp521r1: 66 },
};

/** SSH has two numbers of any length, Node.js wants both at full length. */
function flatSignature(raw: Buffer, curve: string): Buffer {
	const reader = new WordReader(raw);
	const size = fieldBytes[curve] ?? 0;
	return Buffer.concat(
		[unsigned(reader.bytes()), unsigned(reader.bytes())].map((part) =>
			Buffer.concat([Buffer.alloc(Math.max(0, size - part.length)), part]),
		),
	);
}

function unsigned(number: Buffer): Buffer {
	return number[0] === 0 ? number.subarray(1) : number;
}

function lengthOf(part: Buffer): Buffer {
	const length = Buffer.alloc(4);
	length.writeUInt32BE(part.length);
	return length;
}
