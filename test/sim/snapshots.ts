import { compactableTo } from "../../src/daemon/engine/snapshots/schedule.js";
import type { Raft } from "../../src/raft/raft.js";
import { Download } from "./download.js";
import type { SimNode } from "./node.js";
import type { SnapshotFile } from "./snapshot-file.js";
import type { World } from "./world.js";

/** A node's snapshots: taken now and then, fetched when the leader says so, and the log compacted behind them. */
export class Snapshots {
	readonly download: Download;
	readonly #world: World;
	readonly #node: SimNode;
	#saving = false;
	#spread = 0;

	constructor(world: World, node: SimNode) {
		this.#world = world;
		this.#node = node;
		this.download = new Download(world, node);
	}

	restart(): void {
		this.#saving = false;
		this.#spread = this.#node.random.next();
		this.download.restart();
		this.#compactSoon();
	}

	/** The machine stands somewhere else: another one may be due. */
	applied(): void {
		const { everyEntries } = this.#world.options.snapshots;
		const { machine, disk } = this.#node;
		if (everyEntries === 0 || this.#saving) return;
		const since = machine.applied - disk.snapshotIndex;
		if (since >= everyEntries * (1 + this.#spread / 4)) this.#take();
	}

	#take(): void {
		const { options, oracles } = this.#world;
		const node = this.#node;
		const { machine, raft, random } = node;
		const state = machine.copy();
		const point = (raft as Raft).pointAt(state.applied);
		const file = { point, state, digest: state.digest() };
		oracles.snapshotTaken(node, file);
		this.#saving = true;
		node.later(random.exponential(options.snapshots.saveMs), () =>
			this.#saved(file),
		);
	}

	#saved(file: SnapshotFile): void {
		this.#saving = false;
		this.#world.coverage.snapshotsTaken++;
		this.#node.disk.addSnapshot(file);
		this.#node.raft?.snapshotSaved(file.point);
	}

	#compactSoon(): void {
		const { compactMs } = this.#world.options.snapshots;
		this.#node.later(this.#node.random.exponential(compactMs), () => {
			this.#compact();
			this.#compactSoon();
		});
	}

	/** Lets the log go up to where nobody needs it, by the daemon's own rule (P47). */
	#compact(): void {
		const { options, coverage } = this.#world;
		const { segmentEntries, maxLogBytes } = options.snapshots;
		const { disk, applier, logBytes, handed } = this.#node;
		const raft = this.#node.raft as Raft;
		const [older, newest] = [disk.snapshots.at(-2), disk.newest];
		if (newest === undefined || applier.restoringTo > 0) return;
		const bytesHeld =
			(logBytes[handed.entries.length] as number) -
			(logBytes[disk.base] as number);
		const free = older?.point.index ?? newest.point.index;
		const neededFrom = raft.neededFrom();
		const to = compactableTo({
			newest: newest.point.index,
			older: free,
			...{ neededFrom, bytesHeld, maxBytesHeld: maxLogBytes },
		});
		if (neededFrom <= free) {
			if (bytesHeld > maxLogBytes) coverage.compactionsForced++;
			else coverage.compactionsHeldBack++;
		}
		const { applied, firstIndex, snapshotIndex } = raft.status();
		const index = Math.min(to, applied, snapshotIndex);
		if (index < firstIndex) return;
		const isForced = bytesHeld > maxLogBytes;
		this.#world.oracles.retention.compacting(this.#node, index, isForced);
		coverage.compactions++;
		disk.compact(index - (index % segmentEntries));
		raft.compact(index);
	}
}
