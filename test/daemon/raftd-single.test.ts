import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { release } from "../../src/daemon/release.js";
import { raftdGround } from "./raftd-ground.js";
import { adminCall, ask, probe } from "./raftd-process.js";

const ground = raftdGround();

describe("a single raftd", () => {
	it("keeps what it acknowledged over a kill -9", async () => {
		const node = await ground.single();
		const first = await ground.startReady(node);
		const before = await adminCall(node, "GetStatus");
		const put = { op: "put", key: "a", value: "b" };
		const written = await ask(node, "command", put);
		expect(written.status).toBe(200);
		first.kill("SIGKILL");
		await first.ended;
		await ground.startReady(node);
		const read = await ask(node, "query", { op: "get", key: "a" });
		expect(read.body.answer).toMatchObject({ found: true, value: "b" });
		const after = await adminCall(node, "GetStatus");
		expect(after.incarnation).toBe(before.incarnation);
		expect(after.processId).not.toBe(before.processId);
	});

	it("logs at the start what is needed at 3 a.m.", async () => {
		const node = await ground.single();
		const raftd = await ground.startReady(node);
		await raftd.until(() => raftd.log().some(({ msg }) => msg === "serving"));
		expect(raftd.log()[0]).toMatchObject({
			level: "info",
			release,
			pid: raftd.child.pid,
			configPath: node.path,
			node: "n1",
			data: node.data,
			cluster: { id: "c-test" },
			listen: { peer: node.peer, client: node.client, admin: node.admin },
			timing: { electionTimeoutMs: 500 },
		});
	});

	it("stops in order on SIGTERM, and starts again without repair", async () => {
		const node = await ground.single();
		const first = await ground.startReady(node);
		first.kill("SIGTERM");
		expect(await first.ended).toMatchObject({ code: 0, stderr: "" });
		expect(first.log().at(-1)).toMatchObject({
			msg: "stopped",
			handover: "sole-voter",
			connectionsCut: 0,
		});
		await ground.startReady(node);
	});

	it("announces on SIGTERM before it stops, and stops at once on the second signal", async () => {
		const node = await ground.single({
			drain: { announceMs: 600_000, timeoutMs: 3_600_000 },
		});
		const raftd = await ground.startReady(node);
		raftd.kill("SIGINT");
		await raftd.until(async () => (await probe(node, "/readyz")) === 503);
		expect(await probe(node, "/livez")).toBe(200);
		raftd.kill("SIGTERM");
		expect((await raftd.ended).code).toBe(143);
	});

	it("moves its WebSockets away on a drain, and serves again when the lease runs out", async () => {
		const node = await ground.single();
		const raftd = await ground.startReady(node);
		const socket = new WebSocket(`ws://${node.client}/v1/events?from=0`);
		await new Promise((resolve) => socket.once("open", resolve));
		const closed = new Promise((resolve) =>
			socket.once("close", (code) => resolve(code)),
		);
		const { drain } = await adminCall(node, "Drain", {
			leaseMs: 700,
			close: true,
			closeOverMs: 50,
		});
		expect(drain).toMatchObject({ draining: true, closing: true });
		expect(await probe(node, "/readyz")).toBe(503);
		expect(await closed).toBe(1012);
		await raftd.until(async () => (await probe(node, "/readyz")) === 200);
		const again = new WebSocket(`ws://${node.client}/v1/events?from=0`);
		await new Promise((resolve) => again.once("open", resolve));
		again.terminate();
	});

	it("runs a team's own machine", async () => {
		const app = join(ground.directory, "counter.mjs");
		writeFileSync(
			app,
			`const bytes = (value) => new TextEncoder().encode(JSON.stringify(value));
export default {
	name: "counter",
	levels: { reads: [1, 1], writes: 1 },
	create: () => ({ value: 0 }),
	apply: (state) => bytes(++state.value),
	query: (state) => bytes(state.value),
	snapshot: () => [],
	restore: () => ({ value: 0 }),
};`,
		);
		const node = await ground.single();
		await ground.startReady(node, "--app", app);
		expect((await ask(node, "command", { add: 1 })).body.result).toBe(1);
		expect((await ask(node, "command", { add: 1 })).body.result).toBe(2);
		expect((await ask(node, "query", {})).body.answer).toBe(2);
		expect((await adminCall(node, "GetStatus")).machine).toBe("counter");
	});

	it("does not limp on after an error that nobody handled", async () => {
		const app = join(ground.directory, "bomb.mjs");
		writeFileSync(
			app,
			`setTimeout(() => { throw new Error("boom"); }, 100);
export default {
	name: "bomb",
	levels: { reads: [1, 1], writes: 1 },
	create: () => null,
	apply: () => new Uint8Array(0),
	query: () => new Uint8Array(0),
	snapshot: () => [],
	restore: () => null,
};`,
		);
		const raftd = ground.start(await ground.single(), "--app", app);
		expect((await raftd.ended).code).toBe(1);
		expect(raftd.log().at(-1)).toMatchObject({
			level: "fatal",
			msg: "raftd fails: boom",
		});
	});
});
