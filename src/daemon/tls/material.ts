import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { OperatorError, reasonOf } from "../../errors.js";
import {
	type CertificateName,
	certificateName,
} from "../../wire/certificate-names.js";

/** The files of `tls` in node.yaml, absolute; `cert` and `key` may be one file, which is replaced at once. */
export interface TlsFiles {
	readonly ca: string;
	readonly cert: string;
	readonly key: string;
	readonly client: {
		readonly ca: string;
		readonly cert: string;
		readonly key: string;
		readonly clientCertificates: "none" | "required";
	};
}

/** Certificates and key as TLS takes them, in PEM. */
export interface Shown {
	readonly ca: string;
	readonly cert: string;
	readonly key: string;
}

/** What was in the files when they were read. */
export interface Material {
	/** For peers and operators. */
	readonly own: Shown;
	/** For applications. */
	readonly client: Shown;
	readonly leaf: CertificateView;
	readonly clientLeaf: CertificateView;
	/** Whose leaves are accepted. */
	readonly authorities: readonly CertificateView[];
}

export interface CertificateView {
	/** SHA-256 over the whole certificate, in lower-case hexadecimal digits. */
	readonly fingerprint: string;
	readonly expiresAtMs: number;
}

/** Whom the node's certificate must name. */
export interface NodeIdentity {
	readonly clusterId: string;
	readonly nodeId: string;
}

/** Reads and checks all files. Throws OperatorError "refused" that names the file and what is wrong with it. */
export function readMaterial(files: TlsFiles, self: NodeIdentity): Material {
	const authorities = certificates(files.ca);
	const chain = certificates(files.cert);
	const [leaf] = chain;
	requireName(leaf, files.cert, self);
	requireIssuer(chain, authorities, files);
	const clientChain = certificates(files.client.cert);
	return {
		own: shown(files, leaf),
		client: shown(files.client, clientChain[0]),
		leaf: view(leaf),
		clientLeaf: view(clientChain[0]),
		authorities: authorities.map(view),
	};
}

function shown(
	files: Pick<TlsFiles, "ca" | "cert" | "key">,
	leaf: X509Certificate,
): Shown {
	const [ca, cert, key] = [files.ca, files.cert, files.key].map(read) as [
		string,
		string,
		string,
	];
	let isOwn: boolean;
	try {
		isOwn = leaf.checkPrivateKey(createPrivateKey(key));
	} catch (cause) {
		throw unusable(files.key, `it has no private key: ${reasonOf(cause)}`);
	}
	if (!isOwn)
		throw unusable(
			files.key,
			`the key is not that of the certificate in ${files.cert}`,
		);
	try {
		createSecureContext({ ca, cert, key });
	} catch (cause) {
		throw unusable(files.cert, reasonOf(cause));
	}
	return { ca, cert, key };
}

type Certificates = [X509Certificate, ...X509Certificate[]];

function certificates(path: string): Certificates {
	const blocks =
		read(path).match(
			/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g,
		) ?? [];
	let found: X509Certificate[];
	try {
		found = blocks.map((block) => new X509Certificate(block));
	} catch (cause) {
		throw unusable(path, reasonOf(cause));
	}
	if (found.length === 0) throw unusable(path, "it holds no certificate");
	return found as Certificates;
}

function read(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch (cause) {
		throw unusable(path, reasonOf(cause));
	}
}

function requireName(
	leaf: X509Certificate,
	path: string,
	{ clusterId, nodeId }: NodeIdentity,
): void {
	const name = certificateName(leaf.subjectAltName);
	const isOwn =
		name?.kind === "node" &&
		name.clusterId === clusterId &&
		name.node === nodeId;
	if (isOwn) return;
	throw unusable(
		path,
		`it is the certificate of ${nameText(name)}, and this is ${nodeId} of cluster ${clusterId}`,
	);
}

/** Others would refuse a leaf that not even its own node could verify. */
function requireIssuer(
	[leaf, ...rest]: Certificates,
	authorities: readonly X509Certificate[],
	{ ca, cert }: TlsFiles,
): void {
	const isIssued = [...authorities, ...rest].some(
		(issuer) => leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey),
	);
	if (!isIssued)
		throw unusable(cert, `no authority in ${ca} has issued the certificate`);
}

/** For sentences. */
export function nameText(name: CertificateName | null): string {
	if (name === null) return "nobody of a raftd cluster";
	return name.kind === "node"
		? `node ${name.node} of cluster ${name.clusterId}`
		: `an operator (${name.role}) of cluster ${name.clusterId}`;
}

function view(certificate: X509Certificate): CertificateView {
	return {
		fingerprint: certificate.fingerprint256.replaceAll(":", "").toLowerCase(),
		expiresAtMs: Date.parse(certificate.validTo),
	};
}

function unusable(path: string, reason: string): OperatorError {
	return new OperatorError("refused", `${path} cannot be used: ${reason}`, {
		next: "raftctl certs renew writes certificates and keys that belong together",
	});
}
