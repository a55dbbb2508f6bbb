import {
	bootstrapEntries,
	bootstrapHardState,
} from "../../src/raft/bootstrap.js";
import {
	type Configuration,
	type Entry,
	EntryKind,
	type Message,
	type RaftOptions,
} from "../../src/raft/types.js";

import { TinyNode } from "./tiny-node.js";

export { TinyNode } from "./tiny-node.js";

export const electionTimeoutMs = 1000;
export const heartbeatIntervalMs = 100;

type Filter = (message: Message) => boolean;

/** A few nodes, all messages in the test's hand. Dice differ by node: n1 campaigns first, then n2, and so on. */
export class TinyCluster {
	readonly nodes: TinyNode[] = [];
	/** Sent and not yet delivered, oldest first. */
	wire: Message[] = [];

	constructor(
		voters: number,
		settings: {
			readonly learners?: number;
			readonly options?: Partial<RaftOptions>;
		} = {},
	) {
		const names = Array.from(
			{ length: voters + (settings.learners ?? 0) },
			(_, at) => `n${at + 1}`,
		);
		const configuration: Configuration = {
			voters: names.slice(0, voters),
			outgoing: [],
			learners: names.slice(voters),
			addresses: {},
		};
		for (const [at, id] of names.entries()) {
			const disk = {
				hardState: bootstrapHardState,
				entries: bootstrapEntries(configuration),
			};
			const options = {
				...defaults,
				id,
				random: () => at / names.length,
				...settings.options,
			};
			this.nodes.push(
				new TinyNode(options, disk, (message) => this.wire.push(message)),
			);
		}
		for (const node of this.nodes) node.run();
	}

	node(at: number): TinyNode {
		return this.nodes[at - 1] as TinyNode;
	}

	/** Delivers what is on the wire and matches, once; what that sends stays on the wire. */
	deliver(matches: Filter = () => true): Message[] {
		const due = this.wire.filter(matches);
		this.wire = this.wire.filter((message) => !due.includes(message));
		for (const message of due)
			this.nodes.find(({ id }) => id === message.to)?.step(message);
		return due;
	}

	drop(matches: Filter = () => true): Message[] {
		const dropped = this.wire.filter(matches);
		this.wire = this.wire.filter((message) => !dropped.includes(message));
		return dropped;
	}

	/** Delivers until nothing is on the wire, losing what `lost` says. */
	settle(lost: Filter = () => false): void {
		for (let rounds = 0; this.wire.length > 0; rounds++) {
			if (rounds > 1000) throw new Error("the cluster does not settle");
			this.drop(lost);
			this.deliver();
		}
	}

	/** Lets time go by in heartbeats, delivering as it goes. */
	pass(durationMs: number, lost: Filter = () => false): void {
		for (
			let elapsedMs = 0;
			elapsedMs < durationMs;
			elapsedMs += heartbeatIntervalMs
		) {
			for (const node of this.nodes) node.tick(heartbeatIntervalMs);
			this.settle(lost);
		}
	}

	/** Makes a node leader, with everybody following. */
	elect(at: number): TinyNode {
		const node = this.node(at);
		for (
			let waitedMs = 0;
			node.role !== "leader" && waitedMs < 3 * electionTimeoutMs;
			waitedMs += heartbeatIntervalMs
		) {
			node.tick(heartbeatIntervalMs);
			this.settle();
		}
		if (node.role !== "leader") throw new Error(`${node.id} was not elected`);
		return node;
	}
}

export const defaults: Omit<RaftOptions, "id" | "random"> = {
	electionTimeoutMs,
	heartbeatIntervalMs,
	maxClockDrift: 0.1,
	transferTimeoutMs: 1000,
	diskStallMs: 2000,
	outcomeTimeoutMs: 5000,
	maxMessageBytes: 64 * 1024,
	maxInflightMessages: 64,
	maxInflightBytes: 1024 * 1024,
	maxUncommittedBytes: 1024 * 1024,
	windowBytes: 1024 * 1024,
};

/** Selects messages by kind, and by sender and receiver where given. */
export function kind(
	type: Message["type"],
	from?: string,
	to?: string,
): Filter {
	return (message) =>
		message.type === type &&
		(from === undefined || message.from === from) &&
		(to === undefined || message.to === to);
}

/** Everything from and to a node. */
export function around(...ids: string[]): Filter {
	return (message) => ids.includes(message.from) || ids.includes(message.to);
}

export function entry(index: number, term: number, size = 1): Entry {
	return {
		index,
		term,
		kind: EntryKind.command,
		level: 1,
		data: new Uint8Array(size),
	};
}
