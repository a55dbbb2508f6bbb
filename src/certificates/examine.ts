import { createPrivateKey, X509Certificate } from "node:crypto";

/** What a certificate says of itself. */
export interface CertificateFacts {
	/** SHA-256 over the whole certificate, in lower-case hexadecimal digits. */
	readonly fingerprint: string;
	readonly subject: string;
	/** As Node.js prints them: "DNS:a, IP Address:10.0.0.1, URI:raftd://…"; empty for none. */
	readonly alternativeNames: string;
	readonly notBeforeMs: number;
	readonly notAfterMs: number;
}

/** The certificates of a PEM text, in its order. Throws when one cannot be read. */
export function certificatesIn(text: string): X509Certificate[] {
	const blocks =
		text.match(
			/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g,
		) ?? [];
	return blocks.map((block) => new X509Certificate(block));
}

export function factsOf(certificate: X509Certificate): CertificateFacts {
	return {
		fingerprint: fingerprintOf(certificate),
		subject: certificate.subject.split("\n").reverse().join(", "),
		alternativeNames: certificate.subjectAltName ?? "",
		notBeforeMs: Date.parse(certificate.validFrom),
		notAfterMs: Date.parse(certificate.validTo),
	};
}

export function fingerprintOf({ fingerprint256 }: X509Certificate): string {
	return fingerprint256.replaceAll(":", "").toLowerCase();
}

/** Whether the private key in `text` is that of the certificate. */
export function ownsKey(certificate: X509Certificate, text: string): boolean {
	return certificate.checkPrivateKey(createPrivateKey(text));
}

/** Whether `authority` has signed it; its dates are another matter. */
export function isSignedBy(
	certificate: X509Certificate,
	authority: X509Certificate,
): boolean {
	return (
		certificate.checkIssued(authority) &&
		certificate.verify(authority.publicKey)
	);
}
