import { status } from "@grpc/grpc-js";
import { afterEach, describe, expect, it } from "vitest";
import { openEtcdTarget } from "../../../src/operations/bench/etcd-target.js";
import type { Target } from "../../../src/operations/bench/target.js";
import { FakeEtcd } from "./fake-etcd.js";

const servers: FakeEtcd[] = [];
const targets: Target[] = [];
afterEach(async () => {
	for (const target of targets.splice(0)) await target.close();
	for (const server of servers.splice(0)) server.stop();
});

async function ground(timeoutMs = 10_000) {
	const server = new FakeEtcd();
	servers.push(server);
	const port = await server.listen();
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

/** A machine may be busy with other tests. */
const patient = { timeout: 30_000 };

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
		await expect.poll(() => server.asked.length, patient).toBe(4);
		server.stop();
		expect(await Promise.all(lost)).toEqual([
			...["connection-lost", "connection-lost"],
		]);
		expect(await kindOf(target, target.get("a"))).toBe("unreachable");
	});
});
