import { isJoint } from "../../../src/raft/configurations.js";
import { isQuorum } from "../../../src/raft/quorum.js";
import type {
	Configuration,
	Entry,
	PlacedConfiguration,
} from "../../../src/raft/types.js";
import { configurationOf } from "../configuration-of.js";
import type { Coverage } from "../coverage.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

/** The rules of configurations in logs: one change at a time, through a joint one where voters change (P20 to P23). */
export class ConfigurationRules {
	readonly #byId: ReadonlyMap<string, SimNode>;
	readonly #coverage: Coverage;

	constructor(byId: ReadonlyMap<string, SimNode>, coverage: Coverage) {
		this.#byId = byId;
		this.#coverage = coverage;
	}

	/** `entry` holds a configuration that nobody held before; `before` is the one that precedes it in the same log. */
	appended(node: SimNode, entry: Entry, before: PlacedConfiguration): void {
		const next = configurationOf(entry);
		this.#follows(node, entry, before.configuration, next);
		if (isJoint(next)) this.#coverage.jointEntered++;
		const status = node.raft?.status();
		if (status?.role !== "leader" || status.term !== entry.term) return;
		demand(
			before.index <= status.commit,
			"one-change",
			() =>
				`${node.id} appends a configuration at ${entry.index}; the one at ${before.index} is not committed`,
		);
		demand(
			node.log[status.commit - 1]?.term === status.term,
			"change-in-new-term",
			() =>
				`${node.id} appends a configuration at ${entry.index} before it committed anything of term ${status.term}`,
		);
		if (isJoint(before.configuration)) this.#left(node, entry, before);
	}

	#follows(
		node: SimNode,
		{ index }: Entry,
		before: Configuration,
		next: Configuration,
	): void {
		const sound = isJoint(before)
			? !isJoint(next) && same(next.voters, before.voters)
			: isJoint(next)
				? same(next.outgoing, before.voters)
				: same(next.voters, before.voters);
		demand(
			sound,
			"configuration-follows",
			() =>
				`${node.id} appends ${JSON.stringify(next)} at ${index} after ${JSON.stringify(before)}`,
		);
	}

	/** A joint configuration is left only once both its halves hold it on disk. */
	#left(node: SimNode, entry: Entry, joint: PlacedConfiguration): void {
		const held = node.log[joint.index - 1] as Entry;
		demand(
			isQuorum(
				joint.configuration,
				(id) => this.#byId.get(id)?.disk.holds(held) === true,
			),
			"joint-quorum",
			() =>
				`${node.id} leaves the joint configuration at ${joint.index}, which one of its halves does not hold`,
		);
		this.#coverage.jointLeft++;
		if (held.term !== entry.term) this.#coverage.jointLeftByAnother++;
	}
}

function same(a: readonly string[], b: readonly string[]): boolean {
	return a.length === b.length && a.every((id) => b.includes(id));
}
