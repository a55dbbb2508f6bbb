import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	type GrpcObject,
	loadPackageDefinition,
	Server,
	ServerCredentials,
	type ServiceClientConstructor,
	status,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openEtcdTarget } from "../../../src/operations/bench/etcd-target.js";
import type { Target } from "../../../src/operations/bench/target.js";

/** As etcd's rpc.proto has it, as far as a load needs it. */
const proto = `
syntax = "proto3";
package etcdserverpb;
service KV {
	rpc Range(RangeRequest) returns (RangeResponse) {}
	rpc Put(PutRequest) returns (PutResponse) {}
	rpc DeleteRange(DeleteRangeRequest) returns (DeleteRangeResponse) {}
}
message ResponseHeader { uint64 cluster_id = 1; int64 revision = 3; }
message RangeRequest { bytes key = 1; bytes range_end = 2; }
message RangeResponse { ResponseHeader header = 1; int64 count = 4; }
message PutRequest { bytes key = 1; bytes value = 2; }
message PutResponse { ResponseHeader header = 1; }
message DeleteRangeRequest { bytes key = 1; bytes range_end = 2; }
message DeleteRangeResponse { ResponseHeader header = 1; int64 deleted = 2; }
`;

interface Call {
	readonly request: {
		readonly key: Buffer;
		readonly value: Buffer;
		readonly range_end: Buffer;
	};
}
type Reply = (error: object | null, answer?: object) => void;

/** A server of another make: it reads and writes what its own library does. */
class FakeEtcd {
	readonly keys = new Map<string, string>();
	readonly asked: string[] = [];
	refusal: { readonly code: number; readonly details: string } | null = null;
	isSilent = false;
	readonly #server = new Server();

	async listen(service: ServiceClientConstructor["service"]): Promise<number> {
		const header = { cluster_id: "12345678901234567", revision: "300" };
		const answered =
			(name: string, answer: (request: Call["request"]) => object) =>
			({ request }: Call, reply: Reply) => {
				this.asked.push(name);
				if (this.isSilent) return;
				if (this.refusal === null) reply(null, { header, ...answer(request) });
				else reply(this.refusal);
			};
		this.#server.addService(service, {
			Put: answered("Put", ({ key, value }) => {
				this.keys.set(key.toString(), value.toString());
				return {};
			}),
			Range: answered("Range", ({ key }) => ({
				count: this.keys.has(key.toString()) ? "1" : "0",
			})),
			DeleteRange: answered("DeleteRange", ({ key, range_end }) => {
				const found = [...this.keys.keys()].filter(
					(one) => one >= key.toString() && one < range_end.toString(),
				);
				for (const one of found) this.keys.delete(one);
				return { deleted: `${found.length}` };
			}),
		});
		return await new Promise((resolve, reject) =>
			this.#server.bindAsync(
				"127.0.0.1:0",
				ServerCredentials.createInsecure(),
				(error, port) => (error === null ? resolve(port) : reject(error)),
			),
		);
	}

	stop(): void {
		this.#server.forceShutdown();
	}
}

let directory: string;
let service: ServiceClientConstructor["service"];
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-etcd-"));
	writeFileSync(join(directory, "rpc.proto"), proto);
	const loaded = loadPackageDefinition(
		loadSync(join(directory, "rpc.proto"), { keepCase: true, longs: String }),
	).etcdserverpb as GrpcObject;
	service = (loaded.KV as ServiceClientConstructor).service;
});
afterAll(() => rmSync(directory, { recursive: true }));

const servers: FakeEtcd[] = [];
const targets: Target[] = [];
afterEach(async () => {
	for (const target of targets.splice(0)) await target.close();
	for (const server of servers.splice(0)) server.stop();
});

async function ground(timeoutMs = 10_000) {
	const server = new FakeEtcd();
	servers.push(server);
	const port = await server.listen(service);
	const target = openEtcdTarget(
		{ system: "etcd", endpoints: [`127.0.0.1:${port}`] },
		{ timeoutMs, connections: 2 },
	);
	targets.push(target);
	return { server, target, port };
}

async function kindOf(target: Target, work: Promise<unknown>): Promise<string> {
	return await work.then(
		() => "none",
		(error) => target.kindOf(error),
	);
}

describe("the load on etcd", () => {
	it("writes, reads and removes in words that a real gRPC server understands", async () => {
		const { server, target } = await ground();
		const value = Buffer.alloc(300, "x");
		await Promise.all(
			Array.from({ length: 300 }, (_, at) => target.put(`b/x/${at}`, value)),
		);
		await target.put("b/y", value);
		await target.get("b/x/7");
		expect(server.keys.size).toBe(301);
		expect(server.keys.get("b/x/299")).toBe("x".repeat(300));
		expect(server.asked).toContain("Range");
		expect(await target.removeBelow("b/x/")).toBe(300);
		expect([...server.keys.keys()]).toEqual(["b/y"]);
		expect(await target.removeBelow("b/x/")).toBe(0);
	});

	it("tells by its kind what was refused", async () => {
		const { server, target } = await ground();
		server.refusal = { code: status.RESOURCE_EXHAUSTED, details: "too many" };
		expect(await kindOf(target, target.get("a"))).toBe("overloaded");
		server.refusal = { code: status.UNAVAILABLE, details: "no leader" };
		expect(await kindOf(target, target.get("a"))).toBe("unavailable");
	});

	it("gives up a request that is not answered in its time", async () => {
		const { server, target } = await ground(300);
		server.isSilent = true;
		expect(await kindOf(target, target.get("a"))).toBe("timeout");
	});

	it("tells a server that went away from one that was never there", async () => {
		const { server, target } = await ground();
		// Over both connections.
		await Promise.all([target.get("a"), target.get("a")]);
		server.isSilent = true;
		const lost = [1, 2].map(() => kindOf(target, target.get("a")));
		await expect.poll(() => server.asked.length).toBe(4);
		server.stop();
		expect(await Promise.all(lost)).toEqual([
			...["connection-lost", "connection-lost"],
		]);
		expect(await kindOf(target, target.get("a"))).toBe("unreachable");
	});
});
