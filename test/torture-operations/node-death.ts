import { operate } from "./operator.js";
import type { Piece } from "./piece.js";
import { clearAway, judge, prepare, storyOf } from "./round.js";
import type { Stage } from "./stage.js";
import { conclude, takeUpAs } from "./take-up.js";

/** Two more voters than the operation needs: one may be down by its doing, and one by the torture's. */
const moreVoters = 2;

/** Not on six nodes: it needs them all. */
const tooLarge = new Set(["scale up", "scale down"]);
/** They touch no node, or begin with a dead one. */
const untouched = new Set(["snapshot-verify", "snapshot-prune", "up"]);

/** Those during which a node can die and the quorum must still never be at risk. */
export function survivable(pieces: readonly Piece[]): readonly Piece[] {
	return pieces.filter(
		({ name }) => !tooLarge.has(name) && !untouched.has(name),
	);
}

/**
 * One operation, at one of whose boundaries a member dies. The operation copes or ends in good order; then the node is
 * started again, as people do, and what is left is resumed.
 */
export async function nodeDeathRound(
	stage: Stage,
	piece: Piece,
	at: number,
): Promise<number> {
	const { ground, counts, random } = stage;
	const { scene, members } = await prepare(stage, piece, moreVoters);
	const victim = random.pick(members.voters);
	let isStruck = false;
	const die = () => {
		stage.strike(victim);
		isStruck = ground.signal(victim, "SIGKILL");
		scene.owedStarts.set(victim, 1);
	};
	const blow = { at, afterMs: 0, how: "hook" as const };
	let run = await operate(ground, scene.choice.argv, blow, die);
	const { length } = run.boundaries;
	if (isStruck) {
		counts.nodeKills++;
		// Whom the operation removed or stopped meanwhile stays down.
		const { voters, learners } = await stage.members();
		if ([...voters, ...learners].includes(victim))
			await ground.run(["up", "--yes"]);
	}
	if (run.exitCode !== 0 && isStruck) {
		const takeUp = await takeUpAs(stage, scene, "resume");
		run = await operate(ground, takeUp.argv, null);
		if (run.exitCode === 0) conclude(stage, [takeUp]);
	}
	if (run.exitCode !== 0) {
		stage.fail(storyOf(`with ${victim} dead, the operation`, run));
		await clearAway(stage);
	} else await judge(stage, scene, { isDone: true, more: moreVoters });
	stage.mend();
	return length;
}
