import { readdir, readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { OperatorError } from "../../errors.js";
import { matchesPattern } from "./known-hosts.js";
import { type Directive, parseSshConfig } from "./ssh-config.js";

/** OpenSSH's own limit. */
const includeDepth = 16;
const includedFiles = 256;

/**
 * The client's configuration with what it includes; none when the file is not there. Throws OperatorError "config" for one
 * that cannot be read, or that includes without end.
 */
export async function readSshConfig(
	path: string,
	home: string,
): Promise<readonly Directive[]> {
	const reading = { home, directory: dirname(path), files: 0 };
	return read(path, { reading, outer: [], depth: 0 });
}

interface Place {
	readonly reading: {
		readonly home: string;
		/** Relative includes start here, wherever the file lies that has them. */
		readonly directory: string;
		files: number;
	};
	readonly outer: Directive["hosts"];
	readonly depth: number;
}

async function read(
	path: string,
	{ reading, outer, depth }: Place,
): Promise<readonly Directive[]> {
	reading.files += 1;
	if (depth > includeDepth || reading.files > includedFiles)
		throw unreadable(path, "is included too deep or too often");
	const text = await readFile(path, "utf8").catch((cause: unknown) => {
		if ((cause as NodeJS.ErrnoException).code === "ENOENT") return "";
		throw unreadable(path, "cannot be read", cause);
	});
	const found: Directive[] = [];
	for (const directive of parseSshConfig(text, outer)) {
		if (directive.key !== "include") {
			found.push(directive);
			continue;
		}
		for (const pattern of directive.values)
			for (const file of await expand(pattern, reading))
				found.push(
					...(await read(file, {
						...{ reading, outer: directive.hosts, depth: depth + 1 },
					})),
				);
	}
	return found;
}

/** The files that a path with wildcards means, in alphabetical order. */
async function expand(
	pattern: string,
	{ home, directory }: Place["reading"],
): Promise<readonly string[]> {
	const full = pattern.startsWith("~/")
		? join(home, pattern.slice(2))
		: isAbsolute(pattern)
			? pattern
			: join(directory, pattern);
	let paths = ["/"];
	for (const part of full.split("/").filter((one) => one !== "")) {
		if (!/[*?]/.test(part)) {
			paths = paths.map((path) => join(path, part));
			continue;
		}
		const listed = await Promise.all(
			paths.map(async (path) => {
				const names = await readdir(path).catch(() => []);
				return names
					.filter((name) => !name.startsWith("."))
					.filter((name) => matchesPattern(part, name))
					.sort()
					.map((name) => join(path, name));
			}),
		);
		paths = listed.flat();
	}
	return paths;
}

function unreadable(path: string, how: string, cause?: unknown): OperatorError {
	return new OperatorError("config", `${path} ${how}`, {
		state: "nothing was touched",
		next: `mend it, or write "ssh: { config: false }" into the cluster file`,
		...(cause === undefined ? {} : { cause }),
	});
}
