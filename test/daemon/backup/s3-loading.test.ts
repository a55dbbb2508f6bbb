import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../../../src");

function sources(directory: string): string[] {
	return readdirSync(directory).flatMap((name) => {
		const path = join(directory, name);
		if (statSync(path).isDirectory()) return sources(path);
		return name.endsWith(".ts") ? [path] : [];
	});
}

/** Files that import what matches, for more than its types. */
function importersOf(pattern: string): string[] {
	const statement = new RegExp(
		`(?:import|export)\\s+(?!type\\b)[^;]*?["']${pattern}["']|import\\(\\s*["']${pattern}["']`,
	);
	return sources(root)
		.filter((path) => statement.test(readFileSync(path, "utf8")))
		.map((path) => relative(root, path));
}

it("the S3 client is loaded by whoever has something to upload, and by nobody else", () => {
	expect(importersOf("@aws-sdk/[^\"']+")).toEqual([
		"daemon/backup/s3-bucket.ts",
	]);
	expect(importersOf("[^\"']*/s3-bucket\\.js")).toEqual([
		"daemon/backup/work.ts",
	]);
	const work = readFileSync(join(root, "daemon/backup/work.ts"), "utf8");
	expect(work).toContain('await import("./s3-bucket.js")');
});
