import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	type GrpcObject,
	loadPackageDefinition,
	Server,
	ServerCredentials,
	type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

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
export class FakeEtcd {
	readonly keys = new Map<string, string>();
	readonly asked: string[] = [];
	refusal: { readonly code: number; readonly details: string } | null = null;
	isSilent = false;
	readonly #server = new Server();

	/** Its port. */
	async listen(): Promise<number> {
		const header = { cluster_id: "12345678901234567", revision: "300" };
		const answered =
			(name: string, answer: (request: Call["request"]) => object) =>
			({ request }: Call, reply: Reply) => {
				this.asked.push(name);
				if (this.isSilent) return;
				if (this.refusal === null) reply(null, { header, ...answer(request) });
				else reply(this.refusal);
			};
		this.#server.addService(serviceOf(proto), {
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

function serviceOf(text: string): ServiceClientConstructor["service"] {
	const directory = mkdtempSync(join(tmpdir(), "raftctl-etcd-"));
	try {
		const path = join(directory, "rpc.proto");
		writeFileSync(path, text);
		const loaded = loadPackageDefinition(
			loadSync(path, { keepCase: true, longs: String }),
		).etcdserverpb as GrpcObject;
		return (loaded.KV as ServiceClientConstructor).service;
	} finally {
		rmSync(directory, { recursive: true });
	}
}
