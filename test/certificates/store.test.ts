import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
	putBundle,
	readCertificates,
	writeCertificates,
} from "../../src/certificates/store.js";
import { lacksRoot, onSmallDisk } from "../fakes/small-disk.js";
import { TestAuthority } from "../fakes/test-certificates.js";

let ground = "";
beforeEach(() => {
	ground = mkdtempSync(join(tmpdir(), "raftctl-store-"));
});
afterEach(() => rmSync(ground, { recursive: true, force: true }));

describe("the directory of certificates", () => {
	it.skipIf(lacksRoot)(
		"on a full disk keeps what it has, and says where room is to be made",
		async () => {
			const { authority, certificate } = await TestAuthority.create("c-1");
			const directory = join(ground, "certs");
			await onSmallDisk(ground, "40k", async () => {
				const leaves = { nodes: new Map(), roles: new Map() };
				await writeCertificates(directory, { authority, ...leaves });
				const bundle = certificate.repeat(100);
				await expect(putBundle(directory, bundle)).rejects.toMatchObject({
					kind: "refused",
					message: expect.stringContaining(
						`the disk of ${directory} on this machine is full`,
					),
					remedy: `make room on this machine (df -h ${directory})`,
				});
				const stored = await readCertificates(directory);
				expect(stored?.bundle).toBe(certificate);
			});
		},
	);
});
