import { matchesPattern } from "./known-hosts.js";

/** A line of ssh_config(5) and what it is said of: all of these lists of patterns must match. */
export interface Directive {
	/** In small letters. */
	readonly key: string;
	readonly values: readonly string[];
	readonly hosts: readonly (readonly string[])[];
}

/** What raftctl heeds of it; what is not said is null or empty. */
export interface ClientSettings {
	readonly hostName: string | null;
	readonly user: string | null;
	readonly port: number | null;
	readonly identityFiles: readonly string[];
	readonly identitiesOnly: boolean;
	/** A socket's path, "none", or null. */
	readonly identityAgent: string | null;
	readonly hostKeyAlias: string | null;
	readonly userKnownHostsFiles: readonly string[] | null;
	readonly globalKnownHostsFiles: readonly string[] | null;
	readonly proxyJump: string | null;
	/** Not supported: named, so that nobody goes round what should be gone through. */
	readonly proxyCommand: string | null;
}

/**
 * The lines of a file in order; "include" is one of them, for whoever can read files. `outer` is what the file as a whole
 * is said of. StrictHostKeyChecking is not heeded, on purpose: the cluster file decides, and never to check is no choice.
 */
export function parseSshConfig(
	text: string,
	outer: Directive["hosts"] = [],
): readonly Directive[] {
	const found: Directive[] = [];
	let hosts = outer;
	for (const line of text.split("\n")) {
		const [first = "", ...values] = wordsOf(line);
		const key = first.toLowerCase();
		if (key === "host") hosts = [...outer, values];
		else if (key === "match") hosts = [...outer, ...matchOf(values)];
		else if (key !== "" && values.length > 0)
			found.push({ key, values, hosts });
	}
	return found;
}

const nobody: readonly string[] = [];

/** Of Match, "all" and "host" are understood; what depends on anything else is said of nobody. */
function matchOf(values: readonly string[]): Directive["hosts"] {
	const [criterion = "", argument, ...rest] = values;
	if (criterion.toLowerCase() === "all") return [];
	const byName = /^(original)?host$/i.test(criterion);
	if (!byName || argument === undefined || rest.length > 0) return [nobody];
	return [argument.split(",")];
}

/** "Key value …" or "Key=value", values perhaps in double quotes; nothing of a comment. */
function wordsOf(line: string): readonly string[] {
	const text = line.trim();
	if (text === "" || text.startsWith("#")) return [];
	const [, key = "", rest = ""] =
		/^(\S+?)(?:\s*=\s*|\s+)(.*)$/.exec(text) ?? [];
	const words = [...rest.matchAll(/"([^"]*)"|(\S+)/g)];
	const values: string[] = [];
	for (const [, quoted, plain] of words) {
		if (quoted === undefined && plain?.startsWith("#")) break;
		values.push(quoted ?? plain ?? "");
	}
	return [key, ...values];
}

/** What the lines say of the host that is called `host` on the command line. The first word on a matter counts. */
export function settingsFor(
	directives: readonly Directive[],
	host: string,
): ClientSettings {
	const own = directives.filter(({ hosts }) =>
		hosts.every((patterns) => concerns(patterns, host)),
	);
	const all = (key: string) =>
		own.find((directive) => directive.key === key)?.values ?? null;
	const one = (key: string) => all(key)?.[0] ?? null;
	const port = Number(one("port") ?? Number.NaN);
	const first = own.find(({ key }) => /^proxy(jump|command)$/.test(key));
	const proxy = (key: string) =>
		first?.key === key ? first.values.join(" ") : null;
	return {
		hostName: one("hostname"),
		user: one("user"),
		port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : null,
		identityFiles: own
			.filter(({ key }) => key === "identityfile")
			.flatMap(({ values }) => values.slice(0, 1)),
		identitiesOnly: one("identitiesonly")?.toLowerCase() === "yes",
		identityAgent: one("identityagent"),
		hostKeyAlias: one("hostkeyalias"),
		userKnownHostsFiles: all("userknownhostsfile"),
		globalKnownHostsFiles: all("globalknownhostsfile"),
		proxyJump: proxy("proxyjump"),
		proxyCommand: proxy("proxycommand"),
	};
}

/** ssh_config(5), Host: one that is negated wins over all that match. Large and small letters differ here. */
function concerns(patterns: readonly string[], host: string): boolean {
	const matching = (pattern: string) => matchesPattern(pattern, host);
	const negated = patterns.filter((pattern) => pattern.startsWith("!"));
	if (negated.some((pattern) => matching(pattern.slice(1)))) return false;
	return patterns.some(
		(pattern) => !pattern.startsWith("!") && matching(pattern),
	);
}
