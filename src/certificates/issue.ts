import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import {
	type CertificateName,
	certificateUri,
} from "../wire/certificate-names.js";

/** An authority: its certificate and its private key, each as PEM. */
export interface Authority {
	readonly certificate: string;
	readonly key: string;
}

export interface Validity {
	readonly notBefore: Date;
	readonly notAfter: Date;
}

export interface LeafWish extends Validity {
	/** For people who look at it. */
	readonly commonName: string;
	/** Host names and IP addresses under which it is reached. */
	readonly names: readonly string[];
	readonly speaksFor: CertificateName;
	/** One that is listened with is also dialled with. */
	readonly isServer: boolean;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A new authority that signs leaves and nothing else. Each has a name of its own: two are trusted during a rotation. */
export async function createAuthority(
	wish: Validity & { readonly clusterName: string },
): Promise<Authority> {
	const x509 = await library();
	const keys = await newKeys();
	const { KeyUsageFlags } = x509;
	const serialNumber = newSerial();
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		...{ serialNumber, keys, signingAlgorithm: algorithm },
		name: [
			{ O: ["raftctl"] },
			{ CN: [`${wish.clusterName} ${serialNumber.slice(0, 8)}`] },
		],
		...validity(wish),
		extensions: [
			new x509.BasicConstraintsExtension(true, 0, true),
			new x509.KeyUsagesExtension(
				KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
				true,
			),
			await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
		],
	});
	return { certificate: pem(certificate), key: await keyPem(keys.privateKey) };
}

/** A new key and its certificate, in one PEM text: two files could be replaced one without the other. */
export async function issueLeaf(
	authority: Authority,
	wish: LeafWish,
): Promise<string> {
	const x509 = await library();
	const issuer = new x509.X509Certificate(authority.certificate);
	const keys = await newKeys();
	const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
	const certificate = await x509.X509CertificateGenerator.create({
		serialNumber: newSerial(),
		subject: [{ O: ["raftctl"] }, { CN: [wish.commonName] }],
		issuer: issuer.subject,
		...validity(wish),
		publicKey: keys.publicKey,
		signingKey: await signingKey(authority.key),
		signingAlgorithm: algorithm,
		extensions: [
			new x509.BasicConstraintsExtension(false, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
			new x509.ExtendedKeyUsageExtension(
				wish.isServer ? [serverAuth, clientAuth] : [clientAuth],
			),
			new x509.SubjectAlternativeNameExtension([
				...wish.names.map(
					(value) => ({ type: isIP(value) > 0 ? "ip" : "dns", value }) as const,
				),
				{ type: "url", value: certificateUri(wish.speaksFor) },
			]),
			await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
			await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
		],
	});
	return `${pem(certificate)}${await keyPem(keys.privateKey)}`;
}

/** Loaded when something is issued, and never else: it takes a quarter of a second. */
async function library() {
	await import("reflect-metadata");
	return await import("@peculiar/x509");
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
	return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

/** 127 random bits, as positive and without a leading zero byte. */
function newSerial(): string {
	const bytes = randomBytes(16);
	bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
	return bytes.toString("hex");
}

/** X.509 knows whole seconds. */
function validity({ notBefore, notAfter }: Validity): Validity {
	return { notBefore: wholeSecond(notBefore), notAfter: wholeSecond(notAfter) };
}

function wholeSecond(date: Date): Date {
	return new Date(Math.floor(date.getTime() / 1000) * 1000);
}

function pem(certificate: { toString(format: "pem"): string }): string {
	return `${certificate.toString("pem").trim()}\n`;
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
	const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
	const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
	return [
		"-----BEGIN PRIVATE KEY-----",
		...lines,
		"-----END PRIVATE KEY-----",
		"",
	].join("\n");
}

function signingKey(text: string): Promise<webcrypto.CryptoKey> {
	const base64 = text.replace(/-----[^-]+-----/g, "").replace(/\s+/g, "");
	const bytes = Buffer.from(base64, "base64");
	return webcrypto.subtle.importKey("pkcs8", bytes, algorithm, false, ["sign"]);
}
