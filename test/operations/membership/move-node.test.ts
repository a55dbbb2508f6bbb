import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import { moveNode } from "../../../src/operations/membership/move-node.js";
import { planOperation } from "../../../src/operations/run-operation.js";
import { takeUpUnfinished } from "../../../src/operations/taking-up.js";
import { failureOf } from "../operating.js";
import { changing, finished, five, rolesOf, run, three } from "./changing.js";

const skip = [] as const;
const moving =
	(node: string, peer = `${node}:101`) =>
	() =>
		moveNode({ node, given: { peer }, skip });
const at = (name: string, first: number) => ({
	...{ peer: `${name}:${first}`, client: `${name}:${first + 1}` },
	admin: `${name}:${first + 2}`,
});

describe("move-node", () => {
	it("tells the members first, then restarts the node where it is to be", async () => {
		const world = changing();
		world.cluster.connect(6, "n2");
		const report = await run(world, moving("n2"));
		expect(world.cluster.node("n2").addresses).toEqual(at("n2", 101));
		expect(world.cluster.node("n2").answersAt).toBe("n2:103");
		expect(finished(world.events)).toEqual([
			...["n2/prove", "n2/move", "n2/announce", "n2/drain", "n2/prove-again"],
			...["n2/restart", "n2/ready", "balancer/addresses", "n2/admit"],
			...["cluster/agree", "cluster/file"],
		]);
		expect(report).toMatchObject({
			...{ changes: ["update n2"], agreeing: ["n1", "n2", "n3"] },
		});
		expect(rolesOf(world)).toEqual(three);
		expect(world.cluster.cut).toBe(0);
	});

	it("hands leadership over before the leader goes", async () => {
		const world = changing();
		await run(world, moving("n1"));
		expect(world.cluster.transfers).toHaveLength(1);
		expect(world.cluster.leaderlessMs).toBe(0);
	});

	it("writes its new addresses where it starts, and keeps its data", async () => {
		const world = changing();
		const { incarnation } = world.cluster.node("n2");
		await run(world, moving("n2"));
		const file = world.machines.files.get("/state/n2/node.yaml");
		expect(new TextDecoder().decode(file?.content)).toMatch(
			/listen:\n {2}peer: n2:101\n {2}client: n2:102\n {2}admin: n2:103/,
		);
		expect(world.cluster.node("n2").incarnation).toBe(incarnation);
	});

	it("tells the balancer where it is, although it knows the name", async () => {
		const world = changing();
		await run(world, moving("n2"));
		const file = world.machines.files.get("/state/balancer/balancer.json");
		expect(new TextDecoder().decode(file?.content)).toContain("n2:102");
	});

	it("moves a node that is down, and a learner", async () => {
		const down = changing(five);
		down.cluster.stop("n2");
		await run(down, moving("n2"));
		expect(down.cluster.isReady("n2")).toBe(true);
		const world = changing({ ...three, n6: "learner" });
		await run(world, moving("n6"));
		expect(world.cluster.node("n6").addresses).toEqual(at("n6", 101));
		expect(rolesOf(world)).toEqual({ ...three, n6: "learner" });
	});

	it("given up while the node still runs where it was, lets it start there, too", async () => {
		const world = changing();
		const listens = () =>
			/listen:\n {2}peer: (\S+)/.exec(
				new TextDecoder().decode(
					world.machines.files.get("/state/n2/node.yaml")?.content,
				),
			)?.[1];
		world.cluster.node("n2").neverStops = true;
		await failureOf(run(world, moving("n2")));
		expect(listens()).toBe("n2:101");
		await takeUpUnfinished(world.context, {
			...{ id: null, as: "abort", lockWaitMs: 0 },
		});
		expect(listens()).toBe("n2:1");
		expect(world.cluster.node("n2").addresses).toEqual(at("n2", 1));
	});

	it("given up once the node is where it was to be, tells the balancer", async () => {
		const world = changing();
		world.onEvent = (event) => {
			if (event.type === "step-started" && event.step === "n2/ready")
				throw new Error("killed");
		};
		await failureOf(run(world, moving("n2")));
		world.onEvent = () => undefined;
		await takeUpUnfinished(world.context, {
			...{ id: null, as: "abort", lockWaitMs: 0 },
		});
		expect(world.cluster.node("n2").answersAt).toBe("n2:103");
		const file = world.machines.files.get("/state/balancer/balancer.json");
		expect(new TextDecoder().decode(file?.content)).toContain("n2:102");
		expect(finished(world.events)).toContain("n2/admit");
	});

	it("restarts a node once, however long that takes to answer", async () => {
		const world = changing();
		world.cluster.node("n2").silentMs = 4_000;
		await run(world, moving("n2"));
		expect(world.cluster.node("n2").process).toBe(2);
	});

	it.each(["n1", "n2"])(
		"brings %s where the cluster file says when the members know another place, and one leads",
		async (id) => {
			const world = changing();
			const node = world.cluster.node(id);
			node.addresses = at(id, 201);
			node.answersAt = `${id}:203`;
			await run(world, () => moveNode({ node: id, given: {}, skip }));
			expect(node.addresses).toEqual(at(id, 1));
			expect(node.answersAt).toBe(`${id}:3`);
			expect(world.cluster.leaderlessMs).toBe(0);
		},
	);

	it("restarts nothing twice where only the peer address is another", async () => {
		const world = changing();
		const given = { peer: "n2:101", client: "n2:2", admin: "n2:3" };
		await run(world, () => moveNode({ node: "n2", given, skip }));
		expect(world.cluster.node("n2").process).toBe(2);
		expect(world.cluster.node("n2").addresses).toEqual(given);
	});

	it("is refused where it is already, where no quorum would remain, and where its data is not", async () => {
		const world = changing();
		const refused = async (given: object) =>
			failureOf(run(world, () => moveNode({ node: "n2", given, skip })));
		expect(await refused({})).toMatchObject({
			kind: "usage",
			message: expect.stringContaining("n2 is at n2:1 already"),
		});
		world.cluster.stop("n3");
		expect(await refused({ peer: "n2:101" })).toMatchObject({
			kind: "refused",
			message: expect.stringContaining("n2 must not be moved now"),
		});
		expect(world.cluster.changes).toEqual([]);
		expect(world.cluster.node("n2").process).toBe(1);
	});

	it("only tells the members of a node that runs where the file has it already", async () => {
		const world = changing();
		world.cluster.node("n2").addresses = at("n2", 201);
		await run(world, () => moveNode({ node: "n2", given: {}, skip }));
		expect(world.cluster.node("n2").addresses).toEqual(at("n2", 1));
		expect(world.cluster.node("n2").process).toBe(1);
	});

	it("is refused for the only member, with the way round: its journal would go with it", async () => {
		const world = changing({ n1: "voter" });
		const failure = await failureOf(
			run(world, () =>
				moveNode({ node: "n1", given: { peer: "n1:101" }, skip: ["quorum"] }),
			),
		);
		expect(failure).toMatchObject({
			...{ kind: "refused", state: "nothing was touched" },
			next: expect.stringMatching(/raftctl down .* raftctl move-node n1/),
		});
		world.cluster.node("n1").addresses = at("n1", 201);
		await run(world, () => moveNode({ node: "n1", given: {}, skip }));
		expect(world.cluster.node("n1").addresses).toEqual(at("n1", 1));
	});

	it("shows its plan and what it will cost", async () => {
		const world = changing();
		const { plan } = await planOperation(world.context, moving("n2")());
		expect(plan.map(({ title }) => title)).toEqual(
			expect.arrayContaining([
				...["tell the members that it is at n2:101", "stop it, start it there"],
			]),
		);
		expect(world.cluster.changes).toEqual([]);
	});
});

describe("a host that a node is moved to", () => {
	/** Two hosts, of which the first has the data of every node, and the second that of n2 as well if `copied`. */
	function hosts(copied: boolean) {
		const world = changing();
		const { context } = world;
		const { inventory, machines } = context;
		const entry = (name: string) => ({
			...{ name, address: name },
			ssh: {
				...{ address: name, user: null, port: null },
				...{ identityFiles: null, jump: null },
			},
		});
		const nodes = inventory.nodes.map((node) => ({ ...node, host: "h1" }));
		return Object.assign(world, {
			context: {
				...context,
				inventory: { ...inventory, nodes, hosts: ["h1", "h2"].map(entry) },
				machines: {
					service: machines.service.bind(machines),
					async host(name: string) {
						const host = await machines.host(name);
						return {
							...host,
							read: async (path: string) =>
								name === "h2" && !copied && path.endsWith("identity.json")
									? null
									: host.read(path),
						};
					},
				},
			},
		});
	}

	it.each([
		[false, /the data of n2 is not in .* on h2/],
		[true, /and on h1 still: one of the two is a copy/],
	])("is refused when a copy of the data there is %s", async (copied, why) => {
		const world = hosts(copied);
		const given = { host: "h2" };
		const failure = await failureOf(
			run(world, () => moveNode({ node: "n2", given, skip })),
		);
		expect(failure).toMatchObject({
			...{ kind: "refused", message: expect.stringMatching(why) },
			state: "nothing was touched",
		});
		expect(world.cluster.node("n2").process).toBe(1);
	});
});

describe("a host that is silent over SSH, whose node is moved to another one", () => {
	/** n2's data lies on h2 by now; whatever runs on h1, nobody can ask that. */
	function parted() {
		const world = changing();
		const { context } = world;
		const { inventory, machines } = context;
		const entry = (name: string) => ({
			...{ name, address: name },
			ssh: {
				...{ address: name, user: null, port: null },
				...{ identityFiles: null, jump: null },
			},
		});
		const nodes = inventory.nodes.map((node) =>
			node.id === "n2" ? { ...node, host: "h1" } : node,
		);
		return Object.assign(world, {
			context: {
				...context,
				inventory: { ...inventory, nodes, hosts: ["h1", "h2"].map(entry) },
				machines: {
					async host(name: string) {
						if (name === "h1")
							throw new OperatorError("unreachable", "h1 does not answer");
						return machines.host(name);
					},
					async service(spec: Parameters<typeof machines.service>[0]) {
						const service = await machines.service(spec);
						if (spec.name !== "n2") return service;
						const start = async () => {
							world.machines.log.push(`start n2 on ${spec.host}`);
							await service.start();
							world.cluster.node("n2").answersAt = "h2:3";
						};
						return { ...service, start };
					},
				},
			},
		});
	}

	const toH2 = () => moveNode({ node: "n2", given: { host: "h2" }, skip });
	const startsOf = ({ machines }: ReturnType<typeof parted>) =>
		machines.log.filter((line) => line.startsWith("start n2"));

	it("is left where the node is down there", async () => {
		const world = parted();
		world.cluster.stop("n2");
		await run(world, toH2);
		expect(startsOf(world)).toContain("start n2 on h2");
		expect(world.cluster.node("n2").addresses).toEqual(at("h2", 1));
	});

	it.each([
		["answers", "n2:3", "it answers at n2:3"],
		["is heard by the leader", "nowhere", "the leader n1 heard it 10 ms ago"],
	])("is not left while its node still %s", async (_, answersAt, why) => {
		const world = parted();
		world.cluster.node("n2").answersAt = answersAt;
		const failure = await failureOf(
			run(world, () =>
				moveNode({ node: "n2", given: { host: "h2" }, skip: ["quorum"] }),
			),
		);
		expect(failure).toMatchObject({
			...{ kind: "refused", state: "it was neither stopped nor started" },
			message: expect.stringContaining(why),
			next: expect.stringContaining("stop it on h1"),
		});
		expect(world.cluster.changes).toEqual([]);
		expect(world.cluster.node("n2").process).toBe(1);
	});

	it.each([
		["n2:3", null],
		["nowhere", "n2 must not be started on h2"],
	])(
		"is not left when its node comes back there in between, and answers at %s; nor does giving up start it twice",
		async (answersAt, refusal) => {
			const world = parted();
			world.cluster.stop("n2");
			world.onEvent = (event) => {
				if (event.type !== "step-finished" || event.step !== "n2/move") return;
				world.cluster.start("n2");
				world.cluster.node("n2").answersAt = answersAt;
			};
			const failure = await failureOf(run(world, toH2));
			expect(failure.message).toContain("n2 must not be started on h2");
			expect(startsOf(world)).toEqual([]);
			const process = world.cluster.node("n2").process;
			const abort = takeUpUnfinished(world.context, {
				...{ id: null, as: "abort", lockWaitMs: 0 },
			});
			if (refusal === null) await abort;
			else expect((await failureOf(abort)).message).toContain(refusal);
			expect(startsOf(world)).toEqual([]);
			expect(world.cluster.node("n2").process).toBe(process);
		},
	);
});
