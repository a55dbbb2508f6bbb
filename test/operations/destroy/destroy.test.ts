import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import { localHost } from "../../../src/hosts/local.js";
import type { OperationContext } from "../../../src/operations/context.js";
import {
	destroy,
	planDestroy,
} from "../../../src/operations/destroy/destroy.js";
import { failureOf, type Operating, operating } from "../operating.js";

/** Programs in memory, files on this machine's disk. */
describe("destroying a cluster", () => {
	let directory: string;
	let state: string;
	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "raftctl-destroy-"));
		state = join(directory, "orders");
		for (const path of ["n1/data", "n2/data", "n3/data", "operations", "certs"])
			mkdirSync(join(state, path), { recursive: true });
		mkdirSync(join(directory, "apart/n3"), { recursive: true });
		identity(join(directory, "apart/n3"), "c1");
		identity(join(state, "n1/data"), "c1");
		writeFileSync(join(state, "operations/abc-1.json"), "{}");
		writeFileSync(join(state, "certs/ca.key"), "key");
		writeFileSync(join(state, "notes.txt"), "somebody's own");
	});
	afterEach(() => rmSync(directory, { recursive: true, force: true }));

	function identity(path: string, clusterId: string): void {
		writeFileSync(join(path, "identity.json"), JSON.stringify({ clusterId }));
	}

	/** The third node has its data elsewhere; a fourth is on a host that is dead. */
	function contextOf(world: Operating, withDead = false): OperationContext {
		const { context } = world;
		const nodes = context.inventory.nodes.map((node) => ({
			...node,
			dataDirectory:
				node.id === "n3"
					? join(directory, "apart/n3")
					: join(state, node.id, "data"),
		}));
		const dead = { ...nodes[0], id: "n4", host: "h4" } as (typeof nodes)[0];
		return {
			...context,
			inventory: {
				...context.inventory,
				stateDirectory: state,
				nodes: withDead ? [...nodes, dead] : nodes,
			},
			machines: {
				host: async (name) => {
					if (name === "local") return localHost();
					throw new OperatorError("unreachable", `${name} is off`);
				},
				service: (spec) => world.machines.service(spec),
			},
		};
	}

	const isThere = (path: string) => existsSync(join(directory, path));

	it("stops every node and removes what they wrote, and nothing else", async () => {
		const world = operating();
		const report = await destroy(contextOf(world), { lockWaitMs: 0 });
		expect(report).toMatchObject({ emptied: ["local"], left: [] });
		for (const id of ["n1", "n2", "n3"])
			expect(world.machines.isRunning(id)).toBe(false);
		expect(
			["orders/n1", "orders/n3", "orders/operations", "apart/n3"].filter(
				isThere,
			),
		).toEqual([]);
		expect(isThere("orders/certs/ca.key")).toBe(true);
		expect(isThere("orders/notes.txt")).toBe(true);
	});

	it("does nothing the second time", async () => {
		const world = operating();
		const context = contextOf(world);
		await destroy(context, { lockWaitMs: 0 });
		expect((await planDestroy(context)).plan).toEqual([]);
		await destroy(context, { lockWaitMs: 0 });
	});

	it("touches nothing while a node of another cluster lies there", async () => {
		const world = operating();
		identity(join(state, "n2/data"), "c2");
		const failure = await failureOf(
			destroy(contextOf(world), { lockWaitMs: 0 }),
		);
		expect(failure).toMatchObject({ kind: "refused" });
		expect(failure.problems).toEqual(["local: n2 of c2"]);
		expect(world.machines.isRunning("n1")).toBe(true);
		expect(isThere("orders/n1/data/identity.json")).toBe(true);
	});

	it("touches nothing when the answer is no", async () => {
		const world = operating();
		const confirm = async () => {
			throw new OperatorError("refused", "that is not its name");
		};
		await failureOf(destroy(contextOf(world), { lockWaitMs: 0, confirm }));
		expect(world.machines.isRunning("n1")).toBe(true);
		expect(isThere("orders/n1/data/identity.json")).toBe(true);
	});

	it("touches nothing of a cluster that was made there while it asked", async () => {
		const world = operating();
		const confirm = async () => identity(join(state, "n2/data"), "c2");
		const failure = await failureOf(
			destroy(contextOf(world), { lockWaitMs: 0, confirm }),
		);
		expect(failure).toMatchObject({
			...{ kind: "refused", state: "nothing was touched" },
			problems: ["local: n2 of c2"],
		});
		expect(world.machines.log).toEqual([]);
		expect(isThere("orders/n1/data/identity.json")).toBe(true);
	});

	it("removes nothing of a cluster that was made there while it stopped nodes", async () => {
		const world = operating();
		world.onEvent = (event) => {
			if (event.type === "step-finished" && event.step === "n2/stop")
				identity(join(state, "n2/data"), "c2");
		};
		const failure = await failureOf(
			destroy(contextOf(world), { lockWaitMs: 0 }),
		);
		expect(failure).toMatchObject({
			kind: "refused",
			state: "the nodes of this cluster are stopped; nothing was removed",
		});
		expect(isThere("orders/n1/data/identity.json")).toBe(true);
	});

	it("says of a host that does not answer that it keeps what it has", async () => {
		const world = operating();
		const report = await destroy(contextOf(world, true), { lockWaitMs: 0 });
		expect(report.left).toEqual([{ host: "h4", why: "h4 is off" }]);
		expect(isThere("orders/n1")).toBe(false);
	});

	it("waits for nobody who operates: it is refused meanwhile", async () => {
		const world = operating();
		world.cluster.lock = {
			...{ operation: "upgrade", holder: "bob@desk:2", host: "desk" },
			...{ step: "n1/drain", nonce: "b", fencingToken: 7 },
			...{ acquiredAtMs: 0, expiresAtMs: Number.MAX_SAFE_INTEGER },
		} as unknown as typeof world.cluster.lock;
		const asked: string[] = [];
		const confirm = async () => void asked.push("destroy?");
		const failure = await failureOf(
			destroy(contextOf(world), { lockWaitMs: 0, confirm }),
		);
		expect(failure.kind).toBe("locked");
		expect(asked).toEqual([]);
		expect(isThere("orders/n1/data/identity.json")).toBe(true);
	});
});
