import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	afterAll,
	afterEach,
	beforeAll,
	beforeEach,
	describe,
	expect,
	it,
} from "vitest";
import { clusterTag, copyName } from "../../../src/daemon/backup/copy-names.js";
import { openBucket } from "../../../src/daemon/backup/s3-bucket.js";
import {
	keyPrefix,
	partBytes,
	type UploadOrder,
	uploadCopy,
} from "../../../src/daemon/backup/upload.js";
import { realDisk } from "../../../src/storage/real-disk.js";
import { freePort } from "../free-port.js";
import { contextOn, owner } from "./copies.js";
import { S3Server, skipS3 } from "./s3-server.js";
import { TlsFront } from "./tls-front.js";

let s3: S3Server;
let directory: string;
const servers: Server[] = [];
let prefixes = 0;

beforeAll(async () => {
	if (!skipS3) s3 = await S3Server.start();
});
afterAll(() => s3?.close());
beforeEach(() => {
	prefixes += 1;
	directory = mkdtempSync(join(tmpdir(), "upload-"));
});
afterEach(() => {
	for (const server of servers.splice(0)) {
		server.closeAllConnections();
		server.close();
	}
	rmSync(directory, { recursive: true, force: true });
});

/** What is uploaded need not be a snapshot: it was checked when it was copied. Each test has a prefix of its own. */
function order(
	index: number,
	content: Uint8Array,
	changes: Partial<UploadOrder> = {},
): UploadOrder {
	const file = join(directory, copyName(changes.owner ?? owner, index));
	writeFileSync(file, content);
	return {
		...{ owner, index, file, keep: 2, credentials: s3?.credentials },
		authority: null,
		target: { ...s3?.target, prefix: `test-${prefixes}` },
		...{ maxBytesPerSecond: 1e12, ...changes },
	};
}

async function upload(
	wanted: UploadOrder,
	options: { signal?: AbortSignal; callLimitMs?: number } = {},
): Promise<void> {
	const { signal = new AbortController().signal, ...limit } = options;
	const { target, credentials, authority } = wanted;
	const bucket = openBucket({
		...{ target, credentials, authority, signal },
		...limit,
	});
	try {
		await uploadCopy(wanted, bucket, contextOn(realDisk, signal));
	} finally {
		bucket.close();
	}
}

const keys = async () => {
	const prefix = `test-${prefixes}/`;
	const all = await s3.keys();
	return all
		.filter((key) => key.startsWith(prefix))
		.map((key) => key.slice(prefix.length));
};

describe.skipIf(skipS3)("a copy in S3", () => {
	it("has the bytes of the file, and is seen only when it is whole", async () => {
		const content = randomBytes(100_000);
		await upload(order(7, content));
		expect(await keys()).toEqual(["shop-7.snapshot"]);
		expect(await s3.get(`test-${prefixes}/shop-7.snapshot`)).toEqual(content);
	});

	it("that is large goes in parts", async () => {
		const content = randomBytes(2 * partBytes + 12_345);
		await upload(order(7, content));
		const stored = await s3.get(`test-${prefixes}/shop-7.snapshot`);
		expect(stored.equals(content)).toBe(true);
		expect(await s3.uploads()).toEqual([]);
	});

	it("that is there already is not sent again", async () => {
		const wanted = order(7, randomBytes(1000));
		await upload(wanted);
		const { target, credentials } = wanted;
		const { signal } = new AbortController();
		const bucket = openBucket({ target, credentials, authority: null, signal });
		bucket.put = () => Promise.reject(new Error("it was sent again"));
		await uploadCopy(wanted, bucket, contextOn(realDisk));
		bucket.close();
	});

	it("takes the place of older ones of this cluster, and of no others", async () => {
		const twin = { ...owner, clusterId: "twin" };
		await upload(order(1, randomBytes(10), { owner: twin }));
		await upload(
			order(2, randomBytes(10), { owner: { ...owner, cluster: "shop-1" } }),
		);
		const { target, credentials } = order(3, randomBytes(10));
		const { signal } = new AbortController();
		const bucket = openBucket({ target, credentials, authority: null, signal });
		const prefix = keyPrefix(target);
		await bucket.put(`${prefix}shop-3.snapshot.bak`, randomBytes(10), "x");
		await bucket.put(`${prefix}shop-4.snapshot`, randomBytes(10), "by hand");
		bucket.close();
		for (const index of [9, 10, 11, 100])
			await upload(order(index, randomBytes(10)));
		expect(await keys()).toEqual(
			[
				...["shop-1.snapshot", "shop-1-2.snapshot", "shop-3.snapshot.bak"],
				...["shop-4.snapshot", "shop-11.snapshot", "shop-100.snapshot"],
			].sort(),
		);
	});

	it("goes to an endpoint that a private authority vouches for, and to none that it does not", async () => {
		const front = await TlsFront.start(new URL(s3.target.endpoint).port);
		try {
			const { endpoint, authority } = front;
			const wanted = order(7, randomBytes(1000));
			const target = { ...wanted.target, endpoint };
			await expect(upload({ ...wanted, target })).rejects.toThrow(
				/bucket backups, cannot be reached: .*(self-signed|unable to verify)/,
			);
			await upload({ ...wanted, target, authority });
			expect(await keys()).toEqual(["shop-7.snapshot"]);
			const other = await TlsFront.start("1");
			other.close();
			await expect(
				upload({ ...wanted, target, authority: other.authority }),
			).rejects.toThrow("cannot be reached");
		} finally {
			front.close();
		}
	});

	it("does not take the place of another cluster's object", async () => {
		await upload(
			order(7, randomBytes(10), { owner: { ...owner, clusterId: "twin" } }),
		);
		await expect(upload(order(7, randomBytes(10)))).rejects.toThrow(
			`test-${prefixes}/shop-7.snapshot in the bucket backups is another cluster's: give each cluster a prefix of its own`,
		);
	});

	it("that is given up half-way leaves no parts behind", async () => {
		const stop = new AbortController();
		const wanted = order(7, randomBytes(2 * partBytes));
		const { target, credentials } = wanted;
		const { signal } = stop;
		const bucket = openBucket({ target, credentials, authority: null, signal });
		const context = {
			...contextOn(realDisk, signal),
			onProgress: () => stop.abort(new Error("no longer leads")),
		};
		await expect(uploadCopy(wanted, bucket, context)).rejects.toThrow(
			"no longer leads",
		);
		bucket.close();
		expect(await keys()).toEqual([]);
		expect(await s3.uploads()).toEqual([]);
	});

	it("is marked with the cluster, whatever its id is made of", () => {
		const tag = clusterTag({ ...owner, clusterId: "Zürich\n🚀" });
		expect(tag).toMatch(/^[0-9a-f]{64}$/);
	});
});

describe.skipIf(skipS3)("S3 that refuses", () => {
	it("a wrong secret is told so, and the secret is not told", async () => {
		const credentials = {
			...s3.credentials,
			secretAccessKey: "not-the-secret",
		};
		const error = await upload(
			order(7, randomBytes(10), { credentials }),
		).catch((each) => each);
		expect(error.message).toMatch(
			/^S3 at http:\/\/127\.0\.0\.1:\d+, bucket backups, refused with 403 SignatureDoesNotMatch: /,
		);
		expect(error.message).not.toContain("not-the-secret");
	});

	it("because there is no such bucket says so", async () => {
		const wanted = order(7, randomBytes(10));
		const target = { ...wanted.target, bucket: "nobodys" };
		await expect(upload({ ...wanted, target })).rejects.toThrow(
			"bucket nobodys, refused with 404 NoSuchBucket: ",
		);
	});
});

describe("S3 that is not well", () => {
	const credentials = { accessKeyId: "key", secretAccessKey: "secret" };

	async function served(
		answer: Parameters<typeof createServer>[1],
	): Promise<UploadOrder> {
		const server = createServer(answer as never);
		servers.push(server);
		await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
		const { port } = server.address() as AddressInfo;
		return order(7, randomBytes(10), {
			credentials,
			target: {
				endpoint: `http://user:password@127.0.0.1:${port}`,
				...{ bucket: "backups", prefix: "", region: "" },
			},
		});
	}

	it("because nobody listens is told as that", async () => {
		const endpoint = `http://127.0.0.1:${await freePort()}`;
		const target = { endpoint, bucket: "backups", prefix: "", region: "" };
		await expect(
			upload(order(7, randomBytes(10), { credentials, target })),
		).rejects.toThrow(/bucket backups, cannot be reached: .*ECONNREFUSED/);
	});

	it("because it never answers is not waited for without end", async () => {
		const wanted = await served(() => {});
		const error = await upload(wanted, { callLimitMs: 300 }).catch(
			(each) => each,
		);
		expect(error.message).toMatch(
			/^S3 at http:\/\/127\.0\.0\.1:\d+, bucket backups, did not take it within 0\.3 s$/,
		);
	});

	it("for a moment is asked again", async () => {
		let asked = 0;
		const wanted = await served((_request, response) => {
			asked += 1;
			response.statusCode = 503;
			response.end();
		});
		await expect(upload(wanted)).rejects.toThrow("refused with 503 ");
		expect(asked).toBe(4);
	});

	it("because something else answers is told as that", async () => {
		const wanted = await served((_request, response) =>
			response.end("<html>It works!</html>"),
		);
		await expect(upload(wanted)).rejects.toThrow(
			"shop-7.snapshot in the bucket backups has 0 bytes after 10 were sent",
		);
	});

	it("does not see the secret, and gets the sum of what it is sent", async () => {
		const seen: string[] = [];
		const wanted = await served((request, response) => {
			seen.push(JSON.stringify(request.headers));
			request.resume();
			response.statusCode = 400;
			response.end();
		});
		const { target } = wanted;
		const { signal } = new AbortController();
		const bucket = openBucket({ target, credentials, authority: null, signal });
		await bucket.put("key", Buffer.from("hello"), "tag").catch(() => {});
		bucket.close();
		expect(seen).toHaveLength(1);
		// The SHA-256 of "hello": signed, and checked by the server.
		expect(seen[0]).toContain(
			'"x-amz-content-sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"',
		);
		expect(seen[0]).not.toContain("password");
		expect(seen[0]).not.toContain(":secret");
	});
});
