import { randomUUID } from "node:crypto";
import {
	mkdir,
	open,
	readdir,
	readFile,
	rename,
	rm,
	statfs,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import { fullDisk, isOfFullDisk, OperatorError, reasonOf } from "../errors.js";
import { isRole, type Role } from "../wire/certificate-names.js";
import { certificatesIn, fingerprintOf, ownsKey } from "./examine.js";
import type { Authority } from "./issue.js";

/** What was issued: certificate and key in one PEM text, by node or role. */
export interface Leaves {
	readonly nodes: ReadonlyMap<string, string>;
	readonly roles: ReadonlyMap<Role, string>;
}

/**
 * What lies in the directory of certificates (docs/tls.md). While the authority is being replaced, the new one and what
 * it has issued lie beside the old, and all that is left to do follows from that.
 */
export interface StoredCertificates extends Leaves {
	/** The authorities that are trusted, in PEM: one, or two during a rotation. */
	readonly bundle: string;
	/** The one that signs; null where its key is not on this machine. */
	readonly authority: Authority | null;
	/** What is to take its place; null when none is. */
	readonly next: (Authority & Leaves) | null;
}

const fileMode = 0o600;
const directoryMode = 0o700;
const bundleFile = "ca.crt";
const keyFile = "ca.key";
const nextDirectory = "next";

/** Null when there is no such directory. Throws OperatorError "config" for one that cannot be read. */
export async function readCertificates(
	directory: string,
): Promise<StoredCertificates | null> {
	const bundle = await textAt(join(directory, bundleFile));
	if (bundle === null) return null;
	const key = await textAt(join(directory, keyFile));
	return {
		bundle,
		authority: key === null ? null : authorityOf(bundle, key, directory),
		next: await readNext(join(directory, nextDirectory)),
		...(await readLeaves(directory)),
	};
}

async function readNext(
	directory: string,
): Promise<StoredCertificates["next"]> {
	const certificate = await textAt(join(directory, bundleFile));
	const key = await textAt(join(directory, keyFile));
	if (certificate === null || key === null) return null;
	return { certificate, key, ...(await readLeaves(directory)) };
}

async function readLeaves(directory: string): Promise<Leaves> {
	const [nodes, roles] = await Promise.all([
		readAll(join(directory, "nodes")),
		readAll(join(directory, "operators")),
	]);
	return {
		nodes,
		roles: new Map(
			[...roles].flatMap(([name, text]) =>
				isRole(name) ? [[name, text]] : [],
			),
		),
	};
}

async function readAll(directory: string): Promise<Map<string, string>> {
	const names = await readdir(directory).catch((error: unknown) => {
		if (isAbsent(error)) return [];
		throw unreadable(directory, error);
	});
	const found = new Map<string, string>();
	for (const name of names.sort()) {
		if (!name.endsWith(".pem")) continue;
		const text = await textAt(join(directory, name));
		if (text !== null) found.set(name.slice(0, -".pem".length), text);
	}
	return found;
}

/** Of the trusted ones, the one whose key this is. */
function authorityOf(
	bundle: string,
	key: string,
	directory: string,
): Authority {
	try {
		const own = certificatesIn(bundle).find((one) => ownsKey(one, key));
		if (own !== undefined) return { certificate: own.toString(), key };
	} catch (error) {
		throw unreadable(directory, error);
	}
	throw new OperatorError(
		"config",
		`the key in ${join(directory, keyFile)} is that of no authority in ${bundleFile}`,
		{ next: "put the two files that belong together in their place" },
	);
}

/** The SHA-256 fingerprints of the authorities in a PEM text. */
export function fingerprintsIn(text: string): readonly string[] {
	return certificatesIn(text).map(fingerprintOf);
}

/** Writes a directory that there was none of, whole or not at all. Throws OperatorError "refused" when there is one. */
export async function writeCertificates(
	directory: string,
	stored: { readonly authority: Authority } & Leaves,
): Promise<void> {
	await makeWhole(directory, stored.authority, stored);
}

/** The authority that is to take the other's place, with nothing issued yet. */
export async function writeNextAuthority(
	directory: string,
	authority: Authority,
): Promise<void> {
	const leaves: Leaves = { nodes: new Map(), roles: new Map() };
	await makeWhole(join(directory, nextDirectory), authority, leaves);
}

async function makeWhole(
	directory: string,
	{ certificate, key }: Authority,
	leaves: Leaves,
): Promise<void> {
	await mkdir(dirname(directory), { recursive: true, mode: directoryMode });
	const partial = `${directory}.${randomUUID()}`;
	try {
		await write(join(partial, keyFile), key);
		await write(join(partial, bundleFile), certificate);
		for (const [path, text] of leafFiles(leaves))
			await write(join(partial, path), text);
		// Fails where there is one that holds anything.
		await rename(partial, directory);
	} catch (error) {
		await rm(partial, { recursive: true, force: true });
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOTEMPTY" || code === "EEXIST")
			throw new OperatorError("refused", `${directory} is there already`, {
				state: "nothing was written",
				cause: error,
			});
		throw error;
	}
}

/** Replaces single files, each whole. */
export async function putLeaves(
	directory: string,
	leaves: Partial<Leaves>,
	where: "current" | "next" = "current",
): Promise<void> {
	const home = where === "next" ? join(directory, nextDirectory) : directory;
	for (const [path, text] of leafFiles(leaves))
		await write(join(home, path), text);
}

export function putBundle(directory: string, bundle: string): Promise<void> {
	return write(join(directory, bundleFile), bundle);
}

export function putAuthorityKey(directory: string, key: string): Promise<void> {
	return write(join(directory, keyFile), key);
}

/** The new authority has taken the old one's place. */
export function forgetNext(directory: string): Promise<void> {
	const path = join(directory, nextDirectory);
	return rm(path, { recursive: true, force: true });
}

function leafFiles({ nodes, roles }: Partial<Leaves>): [string, string][] {
	return [
		...[...(nodes ?? [])].map(([id, text]): [string, string] => [
			join("nodes", `${id}.pem`),
			text,
		]),
		...[...(roles ?? [])].map(([role, text]): [string, string] => [
			join("operators", `${role}.pem`),
			text,
		]),
	];
}

async function write(path: string, text: string): Promise<void> {
	const partial = `${path}.${randomUUID()}`;
	try {
		await mkdir(dirname(path), { recursive: true, mode: directoryMode });
		const file = await open(partial, "wx", fileMode);
		try {
			await file.writeFile(text);
			await file.sync();
		} finally {
			await file.close();
		}
		await rename(partial, path);
	} catch (error) {
		await rm(partial, { force: true });
		if (!isOfFullDisk(error)) throw error;
		const free = await statfs(dirname(path)).catch(() => null);
		const freeBytes = free === null ? null : free.bavail * free.bsize;
		throw fullDisk(path, { host: "local", freeBytes, cause: error });
	}
}

async function textAt(path: string): Promise<string | null> {
	try {
		return await readFile(path, "utf8");
	} catch (error) {
		if (isAbsent(error)) return null;
		throw unreadable(path, error);
	}
}

function isAbsent(error: unknown): boolean {
	const { code } = (error ?? {}) as NodeJS.ErrnoException;
	return code === "ENOENT" || code === "ENOTDIR";
}

function unreadable(path: string, cause: unknown): OperatorError {
	return new OperatorError(
		"config",
		`${path} cannot be read: ${reasonOf(cause)}`,
		{ cause },
	);
}
