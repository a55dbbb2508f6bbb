import type { Raft } from "../../src/raft/raft.js";
import type { Ready } from "../../src/raft/types.js";
import type { SimNode } from "./node.js";
import type { SnapshotFile } from "./snapshot-file.js";
import type { World } from "./world.js";

interface Transfer {
	readonly sender: SimNode;
	/** Of the sender's process: what it keeps open for others ends with it. */
	readonly senderEpoch: number;
	readonly file: SnapshotFile;
	chunks: number;
}

/** A snapshot on its way to a node: in chunks that take time, break off, and go on from where they stopped. */
export class Download {
	readonly #world: World;
	readonly #node: SimNode;
	#current: Transfer | null = null;
	/** What came before the link broke; it lies on the disk. */
	#partial: Transfer | null = null;

	constructor(world: World, node: SimNode) {
		this.#world = world;
		this.#node = node;
	}

	restart(): void {
		this.#partial = this.#current ?? this.#partial;
		this.#current = null;
		// What was begun before may be gone on with at once, whoever leads by now.
		const { againChance, chunkMs } = this.#world.options.snapshots;
		const { random } = this.#node;
		if (!random.chance(againChance)) return;
		const sender = this.#partial?.sender ?? random.pick(this.#world.nodes);
		this.#node.later(random.exponential(chunkMs), () => {
			const index = sender.disk.snapshotIndex;
			if (index > this.#node.disk.snapshotIndex) this.#begin(sender, index);
		});
	}

	/** The core wants one; while another is on its way it has to wait. */
	want({ from, index }: NonNullable<Ready["download"]>): void {
		const sender = this.#world.processes.get(from);
		if (sender !== undefined) this.#begin(sender, index);
	}

	/** Fetches what `sender` has; at least as new as `index`, as far as anybody knows. */
	#begin(sender: SimNode, index: number): void {
		const { coverage } = this.#world;
		if (this.#current !== null) return;
		const file = sender.disk.newest;
		if (file === undefined) return;
		if (file.point.index > index) coverage.downloadsOfNewer++;
		coverage.downloads++;
		const before = this.#partial;
		if (before?.file === file && before.sender === sender) {
			coverage.downloadsResumed++;
			this.#current = { ...before, senderEpoch: sender.epoch };
		} else
			this.#current = { sender, senderEpoch: sender.epoch, file, chunks: 0 };
		this.#next();
	}

	#next(): void {
		const { chunkMs } = this.#world.options.snapshots;
		const transfer = this.#current as Transfer;
		this.#node.later(this.#node.random.exponential(chunkMs), () =>
			this.#chunk(transfer),
		);
	}

	#chunk(transfer: Transfer): void {
		const { options, coverage, faulty } = this.#world;
		const { chunks, breakChance, saveMs } = options.snapshots;
		const { random } = this.#node;
		if (this.#isBroken(transfer) || (faulty && random.chance(breakChance))) {
			coverage.downloadsBroken++;
			this.#partial = transfer;
			this.#current = null;
			return;
		}
		const waits = transfer.sender.backlog !== null;
		if (waits || ++transfer.chunks < chunks) this.#next();
		else
			this.#node.later(random.exponential(saveMs), () => this.#saved(transfer));
	}

	#isBroken({ sender, senderEpoch, file }: Transfer): boolean {
		const { network } = this.#world;
		return (
			sender.raft === null ||
			sender.epoch !== senderEpoch ||
			sender.disk.damaged.has(file) ||
			!network.connects(sender, this.#node)
		);
	}

	/** Durable: now the core may be told. */
	#saved({ sender, file }: Transfer): void {
		const { options, coverage } = this.#world;
		const { disk, random, raft } = this.#node;
		this.#current = null;
		this.#partial = null;
		disk.addSnapshot(file);
		this.#world.faults.snapshotCame(this.#node);
		if (raft?.status().leader !== sender.id) coverage.downloadsOfOlderLeaders++;
		this.#install(file);
		if (!random.chance(options.snapshots.againChance)) return;
		// What was asked for twice comes twice, the second time perhaps from who leads no longer.
		this.#node.later(random.exponential(options.snapshots.againMs), () => {
			coverage.downloadsRepeated++;
			this.#install(file);
			this.#begin(sender, file.point.index);
		});
	}

	#install({ point }: SnapshotFile): void {
		const { coverage } = this.#world;
		const raft = this.#node.raft as Raft;
		const matches = this.#node.log[point.index - 1]?.term === point.term;
		if (!raft.install(point)) coverage.installsRefused++;
		else if (matches) coverage.installsWithSuffixKept++;
	}
}
