import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** "raftctl/0.1.0 linux-x64 node-v20.20.2": what a bug report needs. */
export function release(): string {
	return `raftctl/${packageVersion()} ${process.platform}-${process.arch} node-${process.version}`;
}

function packageVersion(): string {
	let directory = dirname(fileURLToPath(import.meta.url));
	// The build puts a file one level deeper than its source, so the package is found by walking up.
	for (;;) {
		try {
			const text = readFileSync(join(directory, "package.json"), "utf8");
			return String((JSON.parse(text) as { version?: unknown }).version);
		} catch {
			const parent = dirname(directory);
			if (parent === directory) return "unknown";
			directory = parent;
		}
	}
}
