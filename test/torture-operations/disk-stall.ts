import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../e2e/local-cluster.js";
import { pause } from "./ground.js";
import { operate } from "./operator.js";
import type { Piece } from "./piece.js";
import { clearAway, judge, prepare, storyOf } from "./round.js";
import type { Stage } from "./stage.js";
import { conclude, takeUpAs } from "./take-up.js";

const diskMiB = 256;
const extraStallMs = 2_000;

/** Filesystems of their own for the data of some nodes, so that each can be frozen: what a dying disk or a SAN does. */
export class Disks {
	readonly data = new Map<string, string>();
	readonly #mounts: string[] = [];
	readonly #frozen = new Set<string>();

	/** Null where this process may not mount: it takes root, loop devices and ext4. */
	static mount(directory: string, nodes: readonly string[]): Disks | null {
		const disks = new Disks();
		try {
			for (const id of nodes) disks.#mount(directory, id);
			return disks;
		} catch {
			disks.unmount();
			return null;
		}
	}

	freeze(id: string): void {
		const mount = this.#mountOf(id);
		this.#frozen.add(mount);
		execFileSync("fsfreeze", ["--freeze", mount], { stdio: "pipe" });
	}

	thaw(): void {
		for (const mount of this.#frozen) {
			execFileSync("fsfreeze", ["--unfreeze", mount], { stdio: "pipe" });
			this.#frozen.delete(mount);
		}
	}

	/** After everything that had files there has ended. */
	unmount(): void {
		this.thaw();
		for (const mount of this.#mounts.splice(0))
			execFileSync("umount", ["--lazy", mount], { stdio: "pipe" });
	}

	#mount(directory: string, id: string): void {
		const image = join(directory, `${id}.ext4`);
		const mount = join(directory, `disk-${id}`);
		mkdirSync(mount, { recursive: true });
		const quiet = { stdio: "pipe" as const };
		execFileSync("truncate", ["-s", `${diskMiB}M`, image], quiet);
		execFileSync("mkfs.ext4", ["-q", image], quiet);
		execFileSync("mount", ["-o", "loop", image, mount], quiet);
		this.#mounts.push(mount);
		this.data.set(id, join(mount, "data"));
	}

	#mountOf(id: string): string {
		const data = this.data.get(id);
		if (data === undefined) throw new Error(`${id} has no disk of its own`);
		return join(data, "..");
	}
}

/** Those whose leader always lies on one of the disks: nobody new becomes a voter. */
const onTheirDisks = new Set([
	...["rolling-restart", "transfer-leader", "drain"],
	...["snapshot-save", "snapshot-schedule", "add-learner"],
]);

export function stallable(pieces: readonly Piece[]): readonly Piece[] {
	return pieces.filter(({ name }) => onTheirDisks.has(name));
}

/** One operation, at one of whose boundaries the leader's disk stops answering until another node leads. */
export async function diskStallRound(
	stage: Stage,
	piece: Piece,
	{ at, disks }: { readonly at: number; readonly disks: Disks },
): Promise<number> {
	const { ground, counts, random } = stage;
	const { scene } = await prepare(stage, piece);
	let stall: Promise<void> | null = null;
	const stallLeader = async () => {
		const { leader } = await stage.members();
		if (!existsSync(disks.data.get(leader) ?? "")) return;
		stage.strike(leader);
		disks.freeze(leader);
		counts.diskStalls++;
		try {
			await eventually(
				async () => (await stage.members()).leader !== leader,
				"another leader",
			);
			await pause(random.whole(0, extraStallMs));
		} finally {
			disks.thaw();
		}
	};
	const blow = { at, afterMs: 0, how: "hook" as const };
	let run = await operate(ground, scene.choice.argv, blow, () => {
		stall = stallLeader();
	});
	const { length } = run.boundaries;
	await stall;
	const wasStalled = stall !== null;
	if (run.exitCode !== 0 && wasStalled) {
		const takeUp = await takeUpAs(stage, scene, "resume");
		run = await operate(ground, takeUp.argv, null);
		if (run.exitCode === 0) conclude(stage, [takeUp]);
	}
	if (run.exitCode !== 0) {
		stage.fail(storyOf("with the leader's disk stalled, the operation", run));
		await clearAway(stage);
	} else await judge(stage, scene, { isDone: true });
	stage.mend();
	return length;
}
