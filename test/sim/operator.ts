import { planChange } from "../../src/raft/changes.js";
import { isJoint, membersOf } from "../../src/raft/configurations.js";
import { isQuorum } from "../../src/raft/quorum.js";
import type {
	ChangeOutcome,
	Configuration,
	ConfigurationChange,
	CoreAlarm,
} from "../../src/raft/types.js";
import { addressOf, drawChange } from "./changes.js";
import { configurationOf } from "./configuration-of.js";
import { refusalCounter } from "./coverage.js";
import type { SimNode } from "./node.js";
import { Random } from "./random.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

/** Whoever changes who takes part: now and then, with sense or without, at a leader or not. */
export class Operator {
	/** The nodes of which a leader said that their logs went back. */
	readonly alarms = new Map<string, CoreAlarm>();
	/** The changes that were done. */
	done = 0;
	readonly #world: World;
	readonly #random: Random;
	/** Per node: what it owes an answer for, and what must then be in force. */
	readonly #open = new Map<SimNode, Map<number, Configuration | null>>();
	#tokens = 0;

	constructor(world: World) {
		this.#world = world;
		this.#random = new Random(world.options.seed, 6);
	}

	begin(): void {
		const world = this.#world;
		const { changeMs } = world.options.operator;
		if (changeMs === 0) return;
		const again = () => {
			if (!world.faulty) return;
			this.#act();
			world.strangers.look();
			world.call(this.#random.exponential(changeMs), again);
		};
		world.call(this.#random.exponential(changeMs), again);
	}

	/** What `node` has not answered yet. */
	pending(node: SimNode): number {
		return this.#open.get(node)?.size ?? 0;
	}

	#act(): void {
		const { nodes } = this.#world;
		const running = nodes.filter(({ raft }) => raft !== null);
		const leaders = running.filter(({ seen }) => seen?.role === "leader");
		const knows = leaders.length > 0 && this.#random.chance(0.9);
		if (running.length === 0) return;
		this.ask(this.#random.pick(knows ? leaders : running));
	}

	/** Asks for some change; one that stands still just now hears of it when it goes on. */
	ask(node: SimNode): void {
		const { options } = this.#world;
		node.later(this.#random.exponential(options.network.baseMs), () => {
			const change = drawChange(this.#world, this.#random, node);
			if (change === null) return;
			this.change(node, change);
			// Two at once: one of them has to wait.
			if (this.#random.chance(0.1)) this.change(node, change);
		});
	}

	/** Asks `node` for a change, unless the dead could then keep the others from deciding. */
	change(node: SimNode, change: ConfigurationChange): void {
		const { configuration } = node.handed.configuration;
		const planned = planChange(configuration, change);
		if (planned.kind === "planned" && !this.#leavesQuorum(planned.target))
			return;
		const token = this.#tokens++;
		const open = this.#open.get(node) ?? new Map();
		this.#open.set(node, open);
		// What is in force may be newer than what was handed to the disk: then nobody can say what will be.
		const isCurrent =
			node.raft?.status().configurationIndex ===
			node.handed.configuration.index;
		open.set(
			token,
			planned.kind === "planned" && isCurrent ? planned.target : null,
		);
		this.#world.trace.note(this.#world.nowMs, `change at ${node.id}`, change);
		const before = node.raft?.status();
		node.raft?.changeConfiguration(change, token);
		const after = node.raft?.status();
		if (before !== undefined && after !== undefined)
			this.#world.oracles.leaders.changed(node, change, before, after);
	}

	#leavesQuorum(target: Configuration): boolean {
		const { strangers } = this.#world;
		return isQuorum(target, (id) => !strangers.isDead(id));
	}

	changeEnded(node: SimNode, ended: ChangeOutcome): void {
		const { coverage, oracles } = this.#world;
		const { token, outcome, index, refusal } = ended;
		const open = this.#open.get(node);
		const target = open?.get(token);
		demand(
			open?.delete(token) === true,
			"one-outcome",
			() => `${node.id} ends change ${token}, which it does not owe`,
		);
		this.#world.trace.note(this.#world.nowMs, `change of ${node.id}`, ended);
		if (outcome === "unknown") coverage.changesUnknown++;
		else if (refusal !== null) coverage[refusalCounter(refusal.reason)]++;
		if (outcome !== "done") return;
		coverage.changesDone++;
		this.done++;
		this.#readmit(node);
		const entry = oracles.committed.entries[index - 1];
		const now = entry === undefined ? null : configurationOf(entry);
		demand(
			now !== null && !isJoint(now) && (target == null || isAs(now, target)),
			"change-done",
			() =>
				`${node.id} says that change ${token} is done at ${index}, where ${JSON.stringify(now)} is committed; wanted was ${JSON.stringify(target)}`,
		);
	}

	/** Somebody is added again while its leader still says good-bye to it (P52). */
	#readmit(node: SimNode): void {
		const { options, faulty, coverage, strangers } = this.#world;
		if (!faulty || !this.#random.chance(options.operator.readmitChance)) return;
		const { voters, learners } = node.handed.configuration.configuration;
		const leaver = node.seen?.followers.find(
			({ id }) =>
				!voters.includes(id) && !learners.includes(id) && !strangers.isDead(id),
		);
		if (leaver === undefined) return;
		const { id } = leaver;
		node.later(this.#random.next() * options.tickMs, () => {
			coverage.readmissions++;
			const changes = [{ type: "add", id, address: addressOf(id, 1) } as const];
			this.change(node, { changes, expectedIndex: null, waived: [] });
		});
	}

	/** An alarm is about a disk that really went back, or was lost. */
	alarmed(node: SimNode, alarm: CoreAlarm): void {
		const { coverage, processes, trace, nowMs } = this.#world;
		trace.note(nowMs, `alarm of ${node.id}`, alarm);
		coverage.wentBackAlarms++;
		this.alarms.set(alarm.node, alarm);
		const about = processes.get(alarm.node);
		demand(
			about?.rolledBack === true || about?.forgetful === true,
			"false-alarm",
			() =>
				`${node.id} says that the log of ${alarm.node} went back from ${alarm.acknowledged} to ${alarm.found}`,
		);
	}

	nodeCrashed(node: SimNode): void {
		this.#open.delete(node);
	}
}

function isAs(a: Configuration, b: Configuration): boolean {
	const names = (one: Configuration) =>
		JSON.stringify([
			[...one.voters].sort(),
			[...one.learners].sort(),
			membersOf(one)
				.sort()
				.map((id) => one.addresses[id]),
		]);
	return names(a) === names(b);
}
