import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import type { RollOptions } from "../../src/operations/roll/options.js";
import {
	planRollingRestart,
	rollingRestart,
} from "../../src/operations/rolling-restart.js";
import { failureOf, operating } from "./operating.js";

const whole: RollOptions = {
	nodes: [],
	skip: [],
	lockWaitMs: 0,
};

describe("a roll that must not begin", () => {
	it("is refused when a voter is down, and names it", async () => {
		const { cluster, context, machines } = operating();
		cluster.stop("n3");
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.exitCode).toBe(11);
		expect(failure.message).toContain("n3");
		expect(failure.next).toBe("raftctl up -c cluster.yaml");
		expect(machines.log).toEqual([]);
		expect(cluster.newestToken).toBe(0);
	});

	it("is refused when a voter of five is down, although a quorum would remain", async () => {
		const { cluster, context, machines } = operating(five);
		cluster.stop("n5");
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.exitCode).toBe(11);
		expect(failure.message).toContain("n5");
		expect(machines.log).toEqual([]);
	});

	it("is refused when a voter lags, however ready it calls itself", async () => {
		const { cluster, context } = operating();
		cluster.node("n2").behind = 50_000;
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.exitCode).toBe(11);
		expect(failure.message).toContain("n2 is 50000 entries behind");
	});

	it("is refused without a leader, naming every silent node", async () => {
		const { cluster, context } = operating();
		cluster.stop("n2");
		cluster.stop("n3");
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.exitCode).toBe(11);
		expect(failure.problems.join()).toMatch(/n2.*n3/);
	});

	it("is refused when the balancer is gone, unless its check is skipped by name", async () => {
		const { balancer, context, machines } = operating();
		balancer.gone = true;
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.exitCode).toBe(11);
		expect(failure.message).toContain("the balancer is gone");
		expect(machines.log).toEqual([]);
		const { skipped } = await rollingRestart(context, {
			...whole,
			skip: ["balancer"],
		});
		expect(skipped).toEqual(["balancer"]);
	});

	it("is refused when it would leave no backend", async () => {
		const { context } = operating({ n1: "voter" });
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.problems).toContain(
			"the balancer would have no backend but n1",
		);
	});

	it("is refused when a node is drained by hand", async () => {
		const { clock, cluster, context } = operating();
		cluster.node("n2").drain.until = clock.now() + 600_000;
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.exitCode).toBe(11);
		expect(failure.message).toContain("n2 is draining already");
		expect(failure.next).toBe("raftctl undrain n2 -c cluster.yaml");
	});

	it("leads first to what is down, then to what is drained, in one line", async () => {
		const { clock, cluster, context } = operating(five);
		for (const id of ["n1", "n2"])
			cluster.node(id).drain.until = clock.now() + 600_000;
		cluster.stop("n5");
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.next).toBe(
			"raftctl up -c cluster.yaml && raftctl undrain --node n1 --node n2 -c cluster.yaml",
		);
	});

	it("leads to status where no command mends it: a voter that lags", async () => {
		const { cluster, context } = operating();
		cluster.node("n2").behind = 50_000;
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.next).toBe("raftctl status -c cluster.yaml");
	});

	it("leads to add-learner for a node of the file that is no member", async () => {
		const { cluster, context } = operating({
			...{ n1: "voter", n2: "voter", n3: "voter", n4: "learner" },
		});
		cluster.node("n4").role = null;
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.problems).toContain("n4 is not a member of the cluster");
		expect(failure.next).toBe("raftctl add-learner n4 -c cluster.yaml");
	});

	it("asks with the plan shown and the lock still free; after a no nothing is touched", async () => {
		const { cluster, context, events, machines } = operating();
		const seen: string[] = [];
		const failure = await failureOf(
			rollingRestart(context, {
				...whole,
				confirm: async () => {
					seen.push(...events.map(({ type }) => type));
					expect(cluster.newestToken).toBe(0);
					throw new OperatorError("refused", "you answered no");
				},
			}),
		);
		expect(failure.message).toBe("you answered no");
		expect(seen).toEqual(["plan"]);
		expect(machines.log).toEqual([]);
		expect(cluster.newestToken).toBe(0);
	});

	it("says of a plan that it is one", async () => {
		const { context } = operating();
		const report = await planRollingRestart(context, whole);
		expect(report.dryRun).toBe(true);
	});

	it("tells everybody by its lock which checks it leaves out", async () => {
		const world = operating();
		let operation: string | undefined;
		world.onEvent = ({ type }) => {
			if (type === "step-started") operation = world.cluster.lock?.operation;
		};
		await rollingRestart(world.context, {
			...whole,
			skip: ["quorum", "settle"],
		});
		expect(operation).toBe("rolling-restart --skip=quorum --skip=settle");
	});

	it("is refused for two voters, and done with --skip=quorum, which is told", async () => {
		const pair = operating({ n1: "voter", n2: "voter" });
		const failure = await failureOf(rollingRestart(pair.context, whole));
		expect(failure.exitCode).toBe(11);
		await rollingRestart(pair.context, {
			...whole,
			skip: ["quorum", "balancer"],
		});
		const warnings = pair.events.flatMap((event) =>
			event.type === "warning" ? [event.message] : [],
		);
		expect(warnings.join()).toContain('the check "quorum" is left out');
		expect(warnings.join()).toContain("quorum check skipped by name");
	});

	it("is a mistake in the command when a node does not exist", async () => {
		const { context } = operating();
		const failure = await failureOf(
			rollingRestart(context, { ...whole, nodes: ["n9"] }),
		);
		expect(failure.exitCode).toBe(2);
		expect(failure.next).toContain("n1, n2, n3");
	});

	it("is refused while another operation holds the lock, naming its holder", async () => {
		const { clock, cluster, context, machines } = operating();
		cluster.lock = {
			holder: "bob@ci:7",
			host: "ci",
			nonce: "",
			operation: "rolling-restart",
			step: "n2/drain",
			fencingToken: 5,
			acquiredAtMs: clock.now(),
			expiresAtMs: clock.now() + 3_600_000,
		};
		const failure = await failureOf(rollingRestart(context, whole));
		expect(failure.exitCode).toBe(13);
		expect(failure.message).toContain("bob@ci:7");
		expect(machines.log).toEqual([]);
	});
});

const five = {
	n1: "voter",
	n2: "voter",
	n3: "voter",
	n4: "voter",
	n5: "voter",
} as const;
