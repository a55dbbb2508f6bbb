import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "..");

/** What users read, relative to the root. */
export const pages: readonly string[] = [
	"README.md",
	...readdirSync(join(root, "docs"))
		.filter((name) => name.endsWith(".md"))
		.map((name) => `docs/${name}`),
];

export function read(path: string): string {
	return readFileSync(join(root, path), "utf8");
}

export interface Block {
	readonly page: string;
	readonly line: number;
	/** The words behind the fence: "sh", "sh run". */
	readonly info: string;
	readonly text: string;
}

/** Every fenced block of a page. */
export function blocksOf(page: string): readonly Block[] {
	const text = read(page);
	return [...text.matchAll(/^```([^\n`]*)\n(.*?)^```$/gms)].map(
		({ 1: info = "", 2: block = "", index }) => ({
			...{ page, info: info.trim(), text: block },
			line: text.slice(0, index).split("\n").length,
		}),
	);
}
