import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** A line of a known_hosts file, sshd(8). */
export interface KnownHost {
	readonly file: string;
	readonly line: number;
	readonly marker: "none" | "revoked" | "cert-authority";
	/** As written: names with wildcards, or one hashed name. */
	readonly names: string;
	readonly type: string;
	/** The key as SSH sends it. */
	readonly key: Buffer;
}

/** A host as known_hosts knows it. */
export interface HostName {
	/** Without brackets. */
	readonly host: string;
	readonly port: number;
}

export type KeyVerdict =
	| { readonly is: "known" }
	| { readonly is: "unknown" }
	/** Somebody else may be answering: never to be accepted. */
	| { readonly is: "changed"; readonly known: readonly KnownHost[] }
	| { readonly is: "revoked"; readonly known: KnownHost };

/** Lines that are none are left out, as OpenSSH does. */
export function parseKnownHosts(text: string, file: string): KnownHost[] {
	return text.split("\n").flatMap((line, at) => {
		const words = line.split(/[ \t\r]+/).filter((word) => word !== "");
		if (words[0] === undefined || words[0].startsWith("#")) return [];
		const marker = markers.get(words[0]);
		if (marker !== undefined) words.shift();
		else if (words[0].startsWith("@")) return [];
		const [names = "", type = "", encoded = ""] = words;
		const key = Buffer.from(encoded, "base64");
		if (typeOf(key) !== type) return [];
		return [{ file, line: at + 1, marker: marker ?? "none", names, type, key }];
	});
}

const markers = new Map([
	["@revoked", "revoked"],
	["@cert-authority", "cert-authority"],
] as const) as ReadonlyMap<string, KnownHost["marker"]>;

/** What the lines say of a plain key. A revoked key is revoked wherever it is listed for this host. */
export function judgeKey(
	known: readonly KnownHost[],
	name: HostName,
	key: Buffer,
): KeyVerdict {
	const { own, bare } = entriesFor(known, name);
	const same = (entry: KnownHost) => entry.key.equals(key);
	const isPlain = ({ marker }: KnownHost) => marker === "none";
	const revoked = [...own, ...bare].find(
		(entry) => entry.marker === "revoked" && same(entry),
	);
	if (revoked !== undefined) return { is: "revoked", known: revoked };
	const plain = own.filter(isPlain);
	if (plain.some(same)) return { is: "known" };
	if (plain.length > 0) return { is: "changed", known: plain };
	return { is: bare.filter(isPlain).some(same) ? "known" : "unknown" };
}

/** The keys that may vouch for certificates of this host. */
export function authoritiesFor(
	known: readonly KnownHost[],
	name: HostName,
): readonly KnownHost[] {
	const { own, bare } = entriesFor(known, name);
	const all = [...own, ...bare];
	const revoked = all.filter(({ marker }) => marker === "revoked");
	return all.filter(
		({ marker, key }) =>
			marker === "cert-authority" &&
			!revoked.some((entry) => entry.key.equals(key)),
	);
}

/** The types of the host's keys: to be asked for first, so that a host is not mistaken for another over its other key. */
export function typesFor(
	known: readonly KnownHost[],
	name: HostName,
): readonly string[] {
	const { own, bare } = entriesFor(known, name);
	const [ofPort, ofName] = [own, bare].map((entries) =>
		entries.filter(({ marker }) => marker === "none").map(({ type }) => type),
	);
	return [...new Set(ofPort?.length ? ofPort : ofName)];
}

/**
 * A host at another port than 22 goes by "[host]:port". As with OpenSSH, a key that is right for the bare name is right
 * there, too; that another program at another port has another key means nothing.
 */
function entriesFor(
	known: readonly KnownHost[],
	name: HostName,
): { readonly own: KnownHost[]; readonly bare: KnownHost[] } {
	const matching = (text: string) =>
		known.filter(({ names }) => matches(names, text));
	return {
		own: matching(writtenName(name)),
		bare: name.port === defaultPort ? [] : matching(name.host.toLowerCase()),
	};
}

const defaultPort = 22;

/** As a line of known_hosts names it. */
export function writtenName({ host, port }: HostName): string {
	const name = host.toLowerCase();
	return port === defaultPort ? name : `[${name}]:${port}`;
}

/** A line to add to known_hosts. */
export function writtenLine(name: HostName, key: Buffer): string {
	return `${writtenName(name)} ${typeOf(key)} ${key.toString("base64")}\n`;
}

function matches(names: string, name: string): boolean {
	if (names.startsWith("|1|")) return matchesHash(names, name);
	let found = false;
	for (const pattern of names.toLowerCase().split(",")) {
		const negated = pattern.startsWith("!");
		if (!matchesPattern(negated ? pattern.slice(1) : pattern, name)) continue;
		if (negated) return false;
		found = true;
	}
	return found;
}

/** |1|salt|hash: the name's HMAC-SHA1, so that a stolen file does not list where its owner logs in. */
function matchesHash(names: string, name: string): boolean {
	const [, , salt = "", hash = ""] = names.split("|");
	const given = Buffer.from(hash, "base64");
	const own = createHmac("sha1", Buffer.from(salt, "base64"))
		.update(name)
		.digest();
	return given.length === own.length && timingSafeEqual(given, own);
}

/** ssh_config(5), PATTERNS: "*" any letters, "?" any one. Linear but for stars, which go back to the last one only. */
export function matchesPattern(pattern: string, text: string): boolean {
	let [at, position] = [0, 0];
	let [star, resume] = [-1, 0];
	while (position < text.length) {
		const letter = pattern[at];
		if (letter === "*") {
			[star, resume] = [at, position];
			at += 1;
		} else if (letter === "?" || letter === text[position]) {
			at += 1;
			position += 1;
		} else if (star >= 0) {
			at = star + 1;
			resume += 1;
			position = resume;
		} else return false;
	}
	return /^\**$/.test(pattern.slice(at));
}

/** The name at the beginning of a key, null when it is none. */
export function typeOf(key: Buffer): string | null {
	if (key.length < 4) return null;
	const length = key.readUInt32BE(0);
	return length > 64 || key.length < 4 + length
		? null
		: key.toString("latin1", 4, 4 + length);
}

/** As ssh-keygen -l prints it. */
export function fingerprint(key: Buffer): string {
	const hash = createHash("sha256").update(key).digest("base64");
	return `SHA256:${hash.replace(/=+$/, "")}`;
}
