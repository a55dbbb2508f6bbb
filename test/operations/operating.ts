import type { Inventory, NodeEntry } from "../../src/config/inventory.js";
import type { OperationContext } from "../../src/operations/context.js";
import type { OperationEvent } from "../../src/operations/events.js";
import { type FakeBalancer, fakeBalancer } from "../fakes/fake-balancer.js";
import { FakeClock } from "../fakes/fake-clock.js";
import { FakeCluster } from "../fakes/fake-cluster.js";
import { fakeEngine } from "../fakes/fake-engine.js";
import { FakeMachines } from "../fakes/fake-service.js";

/** An operator in front of a cluster in memory, in virtual time. */
export interface Operating {
	readonly clock: FakeClock;
	readonly cluster: FakeCluster;
	readonly balancer: FakeBalancer;
	readonly machines: FakeMachines;
	readonly events: OperationEvent[];
	readonly abort: AbortController;
	readonly context: OperationContext;
	/** Called for every event, before the operation goes on. */
	onEvent: (event: OperationEvent) => void;
}

export function operating(
	roles: Readonly<Record<string, "voter" | "learner">> = threeVoters,
): Operating {
	const clock = new FakeClock();
	const cluster = new FakeCluster(clock, roles);
	const machines = new FakeMachines(cluster);
	const balancer = fakeBalancer(cluster, () => backendsIn(machines));
	const events: OperationEvent[] = [];
	const abort = new AbortController();
	const world: Operating = {
		clock,
		cluster,
		balancer,
		machines,
		events,
		abort,
		onEvent: () => undefined,
		context: {
			inventory: inventoryOf(roles),
			engine: fakeEngine(cluster),
			balancer,
			machines,
			programs: { node: "/node", raftd: "/raftd.js", balancer: "/lb.js" },
			clock,
			emit: (event) => {
				events.push(event);
				world.onEvent(event);
			},
			signal: abort.signal,
			holder: { holder: "ann@desk:1", host: "desk" },
			release: "0.1.0",
		},
	};
	return world;
}

/** As the balancer's configuration has them; null where none was written. */
function backendsIn({ files }: FakeMachines): readonly string[] | null {
	const file = files.get("/state/balancer/balancer.json");
	if (file === undefined) return null;
	const { backends } = JSON.parse(new TextDecoder().decode(file.content));
	return backends.map(({ node }: { readonly node: string }) => node);
}

const threeVoters = { n1: "voter", n2: "voter", n3: "voter" } as const;

export function inventoryOf(
	roles: Readonly<Record<string, "voter" | "learner">>,
): Inventory {
	return {
		source: "cluster.yaml",
		name: "test",
		id: "c1",
		engine: "raftd",
		stateDirectory: "/state",
		portBase: 7000,
		hosts: [],
		ssh: {
			...{ user: null, identityFiles: null, config: null, knownHosts: null },
			...{ hostKeys: "strict", jump: null, connectTimeoutMs: 10_000 },
		},
		deploy: {
			...{ directory: "/opt/raftctl/test", state: "/var/lib/raftctl/test" },
			...{ user: "raftd-test", keepReleases: 3 },
		},
		nodes: Object.entries(roles).map(([id, role]) => nodeEntry(id, role)),
		balancer: {
			kind: "embedded",
			host: "local",
			listen: "127.0.0.1:7000",
			admin: "127.0.0.1:7001",
			checkIntervalMs: 200,
		},
		timing: {
			electionTimeoutMs: 1_000,
			heartbeatIntervalMs: 100,
			transferTimeoutMs: 1_000,
			diskStallMs: 2_000,
		},
		limits: {},
		log: { level: "info" },
		roll: {
			settleMs: 1_000,
			drainTimeoutMs: 10_000,
			closeOverMs: 500,
			startTimeoutMs: 15_000,
			stopTimeoutMs: 10_000,
		},
		canary: null,
		s3: null,
		tls: null,
		app: null,
		warnings: [],
	};
}

function nodeEntry(id: string, role: NodeEntry["role"]): NodeEntry {
	return {
		id,
		host: "local",
		role,
		peer: `${id}:1`,
		client: `${id}:2`,
		admin: `${id}:3`,
		agent: null,
		dataDirectory: `/data/${id}`,
	};
}

/** The OperatorError that `work` ends with. */
export async function failureOf(
	work: Promise<unknown>,
): Promise<import("../../src/errors.js").OperatorError> {
	const { OperatorError } = await import("../../src/errors.js");
	const error = await work.then(
		() => null,
		(reason: unknown) => reason,
	);
	if (error instanceof OperatorError) return error;
	throw error ?? new Error("it did not fail");
}
