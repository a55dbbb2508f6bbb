import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
	behind,
	createFile,
} from "../../../src/operations/snapshots/file-writer.js";
import { lacksRoot, onSmallDisk } from "../../fakes/small-disk.js";

let directory: string;
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "raftctl-file-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const mebibyte = 1024 * 1024;

describe("a file that is written from what comes in", () => {
	it("goes on exactly where a write ended early", () => {
		fc.assert(
			fc.property(
				fc.array(fc.uint8Array({ maxLength: 9 })),
				fc.nat(60),
				(pieces, wish) => {
					const whole = Buffer.concat(pieces);
					const written = Math.min(wish, whole.length);
					const rest = behind(pieces, written);
					expect(Buffer.concat(rest)).toEqual(whole.subarray(written));
					if (written === whole.length) expect(rest).toEqual([]);
				},
			),
		);
	});

	it("has every byte in order, whatever the pieces, and its name only when it is whole", async () => {
		const content = randomBytes(40 * mebibyte + 123);
		const file = await createFile(join(directory, "saved"));
		for (
			let at = 0, size = 1;
			at < content.length;
			size = (size * 3) % 70_001
		) {
			await file.write(content.subarray(at, at + size));
			at += size;
			expect(file.length).toBe(Math.min(at, content.length));
		}
		expect(await readdir(directory)).toEqual(["saved.part"]);
		await file.finish();
		expect(await readdir(directory)).toEqual(["saved"]);
		const saved = await readFile(join(directory, "saved"));
		expect(saved.equals(content)).toBe(true);
	});

	it("may be empty, and leaves nothing when it is given up half-way", async () => {
		await (await createFile(join(directory, "empty"))).finish();
		const file = await createFile(join(directory, "given-up"));
		await file.write(randomBytes(3 * mebibyte));
		await file.discard();
		expect(await readdir(directory)).toEqual(["empty"]);
	});

	it.skipIf(lacksRoot)(
		"tells of a full disk, though the bytes were taken before it was noticed",
		async () => {
			const small = join(directory, "small");
			await mkdir(small);
			await onSmallDisk(small, "3m", async () => {
				const file = await createFile(join(small, "saved"));
				const written = (async () => {
					for (let n = 0; n < 8; n++) await file.write(randomBytes(mebibyte));
					await file.finish();
				})();
				await expect(written).rejects.toMatchObject({
					kind: "refused",
					message: expect.stringMatching(/^the disk of .+small is full after /),
				});
				await file.discard();
				expect(await readdir(small)).toEqual([]);
			});
		},
	);
});
