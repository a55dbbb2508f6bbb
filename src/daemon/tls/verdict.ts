import type { PeerCertificate, TLSSocket } from "node:tls";
import {
	type CertificateName,
	certificateName,
} from "../../wire/certificate-names.js";

/** Who is at the other end of a connection, by its certificate. */
export type Certified =
	| { readonly kind: "none" }
	| { readonly kind: "known"; readonly name: CertificateName | null }
	/** It must not be believed. */
	| { readonly kind: "refused"; readonly reason: string };

/**
 * Judges the other end of an accepted connection, whose handshake is over. The server asks for a certificate but lets
 * the handshake pass, so that whoever is refused is told why: nothing may be done for it before this was asked.
 */
export function certified(socket: TLSSocket): Certified {
	const certificate = socket.getPeerCertificate();
	if (Object.keys(certificate).length === 0) return { kind: "none" };
	if (!socket.authorized) {
		// A code, whatever its declaration says; none where nothing was verified, which is no better.
		const code = String(socket.authorizationError ?? "unverified");
		return { kind: "refused", reason: faultOf(code, certificate) };
	}
	return { kind: "known", name: certificateName(certificate.subjectaltname) };
}

/** Why a certificate is not believed: `code` as OpenSSL calls it; the dates where the certificate is still at hand. */
export function faultOf(
	code: string,
	{ valid_from, valid_to }: Partial<Dates> = {},
): string {
	switch (code) {
		case "CERT_HAS_EXPIRED":
			return `it ${valid_to ? `expired on ${dateOf(valid_to)}` : "has expired"}; raftctl certs renew issues another`;
		case "CERT_NOT_YET_VALID":
			return `it ${valid_from ? `holds from ${dateOf(valid_from)} on` : "does not hold yet"}; one of the two clocks is wrong`;
		case "UNABLE_TO_GET_ISSUER_CERT":
		case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
		case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
		case "DEPTH_ZERO_SELF_SIGNED_CERT":
		case "SELF_SIGNED_CERT_IN_CHAIN":
		case "CERT_SIGNATURE_FAILURE":
			return "it is of an authority that is not trusted here";
		case "INVALID_PURPOSE":
			return "it was not issued for this purpose";
		default:
			return `it cannot be verified (${code})`;
	}
}

type Dates = Pick<PeerCertificate, "valid_from" | "valid_to">;

function dateOf(text: string): string {
	return new Date(Date.parse(text)).toISOString();
}
