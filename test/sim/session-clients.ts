import {
	encodeSessionCommand,
	type SessionStamp,
} from "../../src/machines/session-command.js";
import { EntryKind } from "../../src/raft/types.js";
import { encodeCommand } from "./commands.js";
import { Fate } from "./history.js";
import type { SessionResult } from "./machine.js";
import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

/** How many times longer than clients wait an attempt may be on its way. */
export const latestSends = 10;

/** One client that wants each of its commands executed once, and sends it again until it knows (P58). */
class SessionClient {
	/** Null until a session is open. */
	id: number | null = null;
	/** Of the command that it wants an answer for. */
	sequence = 1;
	acknowledged = 0;
	answered = 0;

	expire(): void {
		this.id = null;
		this.sequence = 1;
		this.acknowledged = 0;
	}
}

interface Awaited {
	readonly client: SessionClient;
	readonly session: number;
	readonly sequence: number;
	readonly index: number;
}

/** The clients with sessions: impatient ones, who often have several attempts of one command under way. */
export class SessionClients {
	readonly #world: World;
	readonly #random: Random;
	readonly #clients: SessionClient[];
	/** Per node: what is committed, and will be answered when it is applied there. */
	readonly #awaited = new Map<SimNode, Awaited[]>();

	constructor(world: World, random: Random) {
		this.#world = world;
		this.#random = random;
		const { sessionClients } = world.options.workload;
		this.#clients = Array.from(
			{ length: sessionClients },
			() => new SessionClient(),
		);
	}

	get isEmpty(): boolean {
		return this.#clients.length === 0;
	}

	/** How many commands were answered, for all clients. */
	get answered(): number {
		return this.#clients.reduce((sum, { answered }) => sum + answered, 0);
	}

	/** Some client tries something at `node`. */
	act(node: SimNode): void {
		if (this.#random.chance(0.05)) this.#tick(node);
		this.actOf(node, this.#random.below(this.#clients.length));
	}

	actOf(node: SimNode, at: number): void {
		const client = this.#clients[at] as SessionClient;
		if (client.id === null) this.#open(node, client);
		else this.#command(node, client, client.id);
	}

	#open(node: SimNode, client: SessionClient): void {
		const { options, workload } = this.#world;
		const ttlMs = options.workload.sessionTtlMs;
		workload.control(node, { type: "open-session", ttlMs }, (fate, index) => {
			if (fate === Fate.committed && client.id === null) client.id = index;
		});
	}

	/** Time passes for sessions only as the log says. */
	#tick(node: SimNode): void {
		this.#world.workload.control(node, { type: "tick" }, () => {});
	}

	/** Sends the command; it may arrive long after another attempt has. */
	#command(node: SimNode, client: SessionClient, session: number): void {
		const { sequence, acknowledged } = client;
		const stamp = { id: session, sequence, acknowledged };
		const { options, faulty } = this.#world;
		const { sessionMs } = options.workload;
		const delayMs = faulty
			? sessionMs * this.#random.scaled(0.01, latestSends)
			: 0;
		node.later(delayMs, () => this.#arrived(node, client, stamp));
	}

	#arrived(node: SimNode, client: SessionClient, stamp: SessionStamp): void {
		const { id: session, sequence } = stamp;
		const encode = (token: number) =>
			encodeSessionCommand(stamp, encodeCommand(token, 0, 0));
		const { workload } = this.#world;
		workload.submit(node, EntryKind.sessionCommand, encode, (fate, index) => {
			if (fate !== Fate.committed) return;
			const awaited = this.#awaited.get(node) ?? [];
			awaited.push({ client, session, sequence, index });
			this.#awaited.set(node, awaited);
			this.applied(node);
		});
	}

	/** `node` has applied more: answer what waited for it. */
	applied(node: SimNode): void {
		const awaited = this.#awaited.get(node);
		if (awaited === undefined || awaited.length === 0) return;
		const { applied } = node.machine;
		this.#awaited.set(
			node,
			awaited.filter((one) => one.index > applied),
		);
		for (const one of awaited) {
			const result = this.#world.oracles.sessions.resultAt(one.index);
			if (one.index <= applied && result !== undefined)
				this.#answer(one, result);
		}
	}

	nodeCrashed(node: SimNode): void {
		this.#awaited.delete(node);
	}

	#answer(
		{ client, session, sequence, index }: Awaited,
		{ answer }: SessionResult,
	): void {
		// An attempt that it no longer waits for.
		if (client.id !== session || client.sequence !== sequence) return;
		const { sessions } = this.#world.oracles;
		if (answer.kind === "executed") {
			demand(
				sessions.executedAt(session, sequence) === answer.index,
				"sessions-once",
				() =>
					`command ${sequence} of session ${session} is answered as executed at ${answer.index}; it was at ${sessions.executedAt(session, sequence)}`,
			);
			client.answered++;
			client.sequence++;
			if (this.#random.chance(0.7)) client.acknowledged = sequence;
			return;
		}
		demand(
			answer.reason === "session-expired",
			"sessions-once",
			() => `the command at ${index} is refused: ${answer.message}`,
		);
		client.expire();
	}
}
