import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
	s3Authority,
	s3Credentials,
} from "../../../src/daemon/backup/credentials.js";
import { readNodeConfig } from "../../../src/daemon/config.js";
import { type NodeFile, writeCluster } from "../raftd-process.js";
import { certificate } from "./tls-front.js";

let directory: string;
let secretAccessKeyFile: string;

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "secret-"));
	secretAccessKeyFile = join(directory, "secret");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const environment = {
	...{ AWS_ACCESS_KEY_ID: "env-id", AWS_SECRET_ACCESS_KEY: "env-secret" },
};
const access = () => ({ accessKeyId: "id", secretAccessKeyFile });

describe("a node's credentials for S3", () => {
	it("are those of its configuration, read anew each time", async () => {
		for (const secret of ["first", "second"]) {
			writeFileSync(secretAccessKeyFile, `${secret}\n`);
			expect(await s3Credentials(access(), environment, "n1")).toEqual({
				...{ accessKeyId: "id", secretAccessKey: secret },
			});
		}
	});

	it("are those of its environment, without such a configuration", async () => {
		expect(await s3Credentials(undefined, environment, "n1")).toEqual({
			...{ accessKeyId: "env-id", secretAccessKey: "env-secret" },
		});
		const expiring = { ...environment, AWS_SESSION_TOKEN: "token" };
		expect(await s3Credentials(undefined, expiring, "n1")).toMatchObject({
			sessionToken: "token",
		});
	});

	it.each([{}, { AWS_ACCESS_KEY_ID: "id" }, { AWS_SECRET_ACCESS_KEY: "s" }])(
		"that are not all there are a fault",
		async (given) => {
			await expect(s3Credentials(undefined, given, "n1")).rejects.toThrow(
				/^n1 has no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY /,
			);
		},
	);

	it("whose file is missing are a fault that names it", async () => {
		await expect(s3Credentials(access(), environment, "n1")).rejects.toThrow(
			/^the S3 secret of n1 cannot be read: ENOENT.+secret/,
		);
	});

	it.each(["", "two words", "two\nlines", "x".repeat(5000)])(
		"whose file holds something else are a fault that does not repeat it",
		async (text) => {
			writeFileSync(secretAccessKeyFile, text);
			const error = await s3Credentials(access(), {}, "n1").catch(
				(each) => each,
			);
			expect(error.message).toBe(
				`${secretAccessKeyFile} on n1 holds no S3 secret: it must have the key and nothing else`,
			);
		},
	);

	it("have no secret in node.yaml, and an absolute path there", async () => {
		const read = async (s3: object) => {
			const [node] = await writeCluster(directory, ["n1"], { s3 });
			return await readNodeConfig((node as NodeFile).path);
		};
		expect((await read(access())).s3).toEqual(access());
		await expect(
			read({ ...access(), secretAccessKeyFile: "secret" }),
		).rejects.toMatchObject({
			problems: [expect.stringContaining("must be an absolute path")],
		});
		await expect(
			read({ accessKeyId: "id", secretAccessKey: "s" }),
		).rejects.toMatchObject({ kind: "config" });
	});

	it("are in node.yaml both, or neither", async () => {
		const read = async (s3: object) => {
			const [node] = await writeCluster(directory, ["n1"], { s3 });
			return (await readNodeConfig((node as NodeFile).path)).s3;
		};
		const caFile = join(directory, "ca.pem");
		expect(await read({ caFile })).toEqual({ caFile });
		for (const half of [{ accessKeyId: "id" }, { secretAccessKeyFile, caFile }])
			await expect(read(half)).rejects.toMatchObject({
				problems: [
					expect.stringContaining("accessKeyId and secretAccessKeyFile"),
				],
			});
		expect(await s3Credentials({ caFile }, environment, "n1")).toEqual({
			...{ accessKeyId: "env-id", secretAccessKey: "env-secret" },
		});
	});
});

describe("the authority that vouches for S3's endpoint", () => {
	it("is that of the node's configuration, read anew each time, or a public one", async () => {
		expect(await s3Authority(undefined, "n1")).toBeNull();
		expect(await s3Authority(access(), "n1")).toBeNull();
		const caFile = join(directory, "ca.pem");
		for (const { cert } of [certificate(), certificate()]) {
			writeFileSync(caFile, cert);
			expect(await s3Authority({ caFile }, "n1")).toBe(cert.trim());
		}
	});

	it("whose file is missing, or holds something else, is a fault that names it", async () => {
		const caFile = join(directory, "ca.pem");
		await expect(s3Authority({ caFile }, "n1")).rejects.toThrow(
			/^the CA file for S3 of n1 cannot be read: ENOENT/,
		);
		for (const text of ["", "no certificate", certificate().key]) {
			writeFileSync(caFile, text);
			await expect(s3Authority({ caFile }, "n1")).rejects.toThrow(
				`${caFile} on n1 holds no certificate in PEM`,
			);
		}
	});
});
