import { membersOf } from "../../src/raft/configurations.js";
import type { MemberChange } from "../../src/raft/types.js";
import { addressOf } from "./changes.js";
import type { SimNode } from "./node.js";
import { comeToRest, expectSoon, leaderOf } from "./rest.js";
import type { World } from "./world.js";

/** As many voters as an operator wants at least. */
const wantedVoters = 3;

/** The operator puts right what the storm broke: the dead are removed, and new nodes take their places. */
export function repair(world: World): void {
	const { strangers, coverage } = world;
	const { configuration } = leader(world).handed.configuration;
	const dead = membersOf(configuration).filter((id) => strangers.isBuried(id));
	if (dead.length > 0) {
		changeMembers(
			world,
			dead.map((id) => ({ type: "remove", id })),
		);
		coverage.repairs++;
	}
	while (isShort(world)) {
		const node = strangers.join();
		if (node === null) break;
		admit(world, node);
	}
	comeToRest(world);
}

/** Adds a node, and lets it vote as soon as it has caught up (P26). */
export function admit(world: World, { id }: SimNode): void {
	const address = addressOf(id, 1);
	changeMembers(world, [{ type: "add", id, address }]);
	changeMembers(world, [{ type: "promote", id }]);
}

function isShort(world: World): boolean {
	const { voters } = leader(world).handed.configuration.configuration;
	return voters.length < Math.min(wantedVoters, world.options.voters);
}

/** Makes a change by the rules, asking again until it is done, as people do. */
export function changeMembers(
	world: World,
	changes: readonly MemberChange[],
): void {
	const { operator } = world;
	const before = operator.done;
	let asked: SimNode | null = null;
	expectSoon(
		world,
		() => {
			if (operator.done > before) return true;
			if (asked !== null && operator.pending(asked) > 0) return false;
			asked = leaderOf(world) ?? null;
			if (asked === null) return false;
			operator.change(asked, { changes, expectedIndex: null, waived: [] });
			asked.settle();
			return false;
		},
		() => `${JSON.stringify(changes)} is not done`,
	);
	comeToRest(world);
}

function leader(world: World): SimNode {
	return leaderOf(world) as SimNode;
}
