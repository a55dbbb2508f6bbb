import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdminNode, startAdminNode } from "./admin-node.js";

/** An independent client, as grpcurl or a Kubernetes probe would be. */
const protos = join(import.meta.dirname, "../../../proto");
const loaded = grpc.loadPackageDefinition(
	loadSync(["raftctl/admin/v1/admin.proto", "grpc/health/v1/health.proto"], {
		includeDirs: [protos],
		keepCase: true,
		longs: String,
		enums: String,
	}),
	// biome-ignore lint/suspicious/noExplicitAny: what proto-loader builds at run time has no static shape
) as any;

type Answer = Record<string, unknown>;
type Unary = (
	request: object,
	done: (error: grpc.ServiceError | null, answer: Answer) => void,
) => void;

let node: AdminNode;
let clients: grpc.Client[];
beforeEach(async () => {
	node = await startAdminNode();
	clients = [];
});
afterEach(async () => {
	for (const client of clients) client.close();
	await node.server.close();
});

function client(service: "admin" | "health") {
	const Client =
		service === "admin"
			? loaded.raftctl.admin.v1.AdminService
			: loaded.grpc.health.v1.Health;
	const made = new Client(node.address, grpc.credentials.createInsecure());
	clients.push(made);
	return made;
}

function call(
	service: "admin" | "health",
	method: string,
	request: object = {},
): Promise<Answer> {
	const made = client(service);
	return new Promise((resolve, reject) =>
		(made[method] as Unary).call(made, request, (error, answer) =>
			error === null ? resolve(answer) : reject(error),
		),
	);
}

describe("the admin port as gRPC", () => {
	it("answers calls on the port that also speaks HTTP/1.1", async () => {
		const [status, probe] = await Promise.all([
			call("admin", "GetStatus"),
			fetch(`http://${node.address}/readyz`),
		]);
		expect(status).toMatchObject({ node_id: "n1", commit_index: "10" });
		expect(probe.status).toBe(200);
	});

	it("spells a sentence so that every client reads it as it was written", async () => {
		await expect(
			call("admin", "ClearAlarm", { kind: "5 % ä,:/;?", node: "n1" }),
		).rejects.toMatchObject({
			details: expect.stringMatching(
				/^kind is "5 % ä,:\/;\?"; there are state-differs, log-went-back/,
			),
		});
	});

	it("carries code and sentence of a refusal", async () => {
		const lock = { holder: "ci", host: "h", operation: "roll", ttl_ms: 5000 };
		await call("admin", "AcquireLock", lock);
		await expect(call("admin", "AcquireLock", lock)).rejects.toMatchObject({
			code: grpc.status.ABORTED,
			details: expect.stringContaining("ci on h holds it"),
		});
		await expect(
			call("admin", "Drain", { lease_ms: 1000 }),
		).rejects.toMatchObject({ code: grpc.status.FAILED_PRECONDITION });
	});
});

describe("grpc.health.v1", () => {
	it("says what /readyz says", async () => {
		for (const service of ["", "raftd", "raftctl.admin.v1.AdminService"]) {
			expect(await call("health", "Check", { service })).toEqual({
				status: "SERVING",
			});
		}
		node.draining.renew({ leaseMs: 60_000, close: false, closeOverMs: 0 });
		expect(await call("health", "Check")).toEqual({ status: "NOT_SERVING" });
		await expect(
			call("health", "Check", { service: "other" }),
		).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });
	});

	it("tells watchers of every change, and ends with the server", async () => {
		const told: string[] = [];
		let onTold = () => {};
		const stream = client("health").Watch({ service: "" });
		stream.on("data", ({ status }: { status: string }) => {
			told.push(status);
			onTold();
		});
		const ended = new Promise<number>((resolve) => {
			stream.on("error", (error: grpc.ServiceError) => resolve(error.code));
			stream.on("end", () => resolve(grpc.status.OK));
		});
		const next = () =>
			new Promise<void>((resolve) => {
				onTold = resolve;
			});
		node.health.sample();
		await next();
		let changed = next();
		node.draining.renew({ leaseMs: 60_000, close: false, closeOverMs: 0 });
		node.health.sample();
		await changed;
		changed = next();
		node.draining.end();
		node.health.sample();
		await changed;
		expect(told).toEqual(["SERVING", "NOT_SERVING", "SERVING"]);
		await node.server.close();
		expect([grpc.status.OK, grpc.status.UNAVAILABLE]).toContain(await ended);
	});

	it("tells watchers of a service that does not exist", async () => {
		const stream = client("health").Watch({ service: "other" });
		const first = await new Promise((resolve, reject) => {
			stream.on("data", resolve);
			stream.on("error", reject);
		});
		expect(first).toEqual({ status: "SERVICE_UNKNOWN" });
		stream.on("error", () => {});
		stream.cancel();
	});
});
