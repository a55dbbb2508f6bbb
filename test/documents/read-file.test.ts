import { execFileSync } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readText } from "../../src/documents/read-file.js";

let directory: string;

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "read-file-"));
});

afterEach(() => rm(directory, { recursive: true }));

describe("a file read as text", () => {
	it("is what was written, letters of all languages included", async () => {
		const path = join(directory, "a.yaml");
		await writeFile(path, "name: Zürich 東京\n");
		expect(await readText(path, "next")).toBe("name: Zürich 東京\n");
	});

	it("is refused by name when there is none, with the next step", async () => {
		const path = join(directory, "absent.yaml");
		await expect(readText(path, "write one")).rejects.toMatchObject({
			kind: "config",
			message: `there is no file ${path}`,
			state: "nothing was touched",
			next: "write one",
		});
	});

	it("is refused when it is a directory", async () => {
		await expect(readText(directory, "next")).rejects.toMatchObject({
			kind: "config",
			message: `${directory} is a directory`,
		});
	});

	it("is refused when it is a pipe, without waiting for anybody to write to it", async () => {
		const path = join(directory, "pipe");
		execFileSync("mkfifo", [path]);
		await expect(readText(path, "next")).rejects.toMatchObject({
			kind: "config",
			message: `${path} is not a regular file`,
		});
	});

	it("is refused with the place where it is not UTF-8", async () => {
		const path = join(directory, "latin1.yaml");
		await writeFile(path, Buffer.from("a: ü\nb: \u00fc\n", "latin1"));
		await expect(readText(path, "next")).rejects.toMatchObject({
			kind: "config",
			message: `${path} is not UTF-8 text`,
			problems: [`${path}:1:4 is not UTF-8`],
		});
	});

	it("is refused when it is longer than 1 MiB, and read no further", async () => {
		const path = join(directory, "disk.img");
		await writeFile(path, "");
		await truncate(path, 8 * 1024 ** 4);
		await expect(readText(path, "next")).rejects.toMatchObject({
			kind: "config",
			message: `${path} is longer than 1 MiB`,
		});
	});

	it("is read up to exactly 1 MiB", async () => {
		const path = join(directory, "long.yaml");
		await writeFile(path, "#".repeat(1024 * 1024));
		expect(await readText(path, "next")).toHaveLength(1024 * 1024);
	});
});
