import type { Socket } from "node:net";
import type { Message, NodeId } from "../../raft/types.js";
import type { SnapshotManifest } from "../../storage/snapshots/snapshot-store.js";
import type {
	ForwardAnswer,
	ForwardedCommand,
} from "../../wire/forward-frames.js";
import type { HelloFrame, LevelRange } from "../../wire/peer-handshake.js";
import { listen } from "../listen.js";
import type { LinkTrouble } from "../replica.js";
import type { Certified } from "../tls/verdict.js";
import { Complaints } from "./complaints.js";
import type { Refusal } from "./handshake.js";
import { IncomingLink } from "./incoming-link.js";
import { OutgoingLink } from "./outgoing-link.js";
import type { PeerCounters, PeersOptions } from "./peer-events.js";
import { fetchSnapshot } from "./snapshot-fetcher.js";
import { SnapshotSender } from "./snapshot-sender.js";
import {
	type Acceptor,
	type PeerTransport,
	plainTransport,
} from "./transport.js";

/** Connections at once on the peer port: far more than members, far fewer than would hurt. */
const maxAccepted = 256;
const pingIntervalMs = 500;
const silenceLimitMs = 3000;
const leaveMs = 3000;
const snapshotStallMs = 15_000;

/**
 * The links to the other members. Each node dials every other and sends on its own connection only, so that one node's
 * trouble with another never depends on who dialled first.
 */
export class Peers {
	readonly counters: PeerCounters = {
		framesIn: 0,
		badFrames: 0,
		refused: 0,
		dropped: 0,
		snapshotBytesSent: 0,
		snapshotBytesRead: 0,
	};
	readonly #options: PeersOptions;
	readonly #transport: PeerTransport;
	readonly #acceptor: Acceptor;
	readonly #complaints: Complaints;
	readonly #sender: SnapshotSender;
	/** What each peer said of itself when it last dialled. */
	readonly #levels = new Map<NodeId, LevelRange>();
	/** No longer members, and until when they are spoken to. */
	readonly #leaving = new Map<NodeId, number>();
	readonly #closing = new AbortController();
	readonly #outgoing = new Map<NodeId, OutgoingLink>();
	readonly #incoming = new Map<NodeId, IncomingLink>();
	/** All accepted connections, those that have not said who they are included. */
	readonly #accepted = new Set<IncomingLink>();
	#lastLinkId = 0;
	#nowMs = 0;
	#gone = { sentBytes: 0, readBytes: 0 };

	constructor(options: PeersOptions) {
		this.#options = options;
		this.#complaints = new Complaints(options.diagnose);
		this.#sender = new SnapshotSender({
			snapshotStallMs,
			...options,
			counters: this.counters,
			onDamaged: () => options.events.onSnapshotDamaged(),
		});
		this.#transport = options.transport ?? plainTransport;
		this.#acceptor = this.#transport.acceptor(maxAccepted, {
			onSocket: (socket, caller) => this.#accept(socket, caller),
			onBroken: (socket, reason) => this.#complainOf(socket, reason),
		});
	}

	/** Rejects when the address cannot be listened on. */
	async open(nowMs: number): Promise<void> {
		this.#nowMs = nowMs;
		await listen(this.#acceptor.server, this.#options.listen, "listen.peer");
	}

	/**
	 * Whom to dial, and where, the likeliest address first. Links to others are closed a little later, as those who leave
	 * are still told so.
	 */
	setMembers(members: ReadonlyMap<NodeId, readonly string[]>): void {
		for (const [peer, link] of this.#outgoing) {
			const addresses = members.get(peer);
			if (addresses !== undefined) {
				this.#leaving.delete(peer);
				link.redirect(addresses);
			} else if (!this.#leaving.has(peer))
				this.#leaving.set(peer, this.#nowMs + leaveMs);
		}
		for (const [peer, addresses] of members) {
			if (peer !== this.#options.self.nodeId && !this.#outgoing.has(peer))
				this.#outgoing.set(peer, this.#makeOutgoing(peer, addresses));
		}
	}

	#drop(peer: NodeId, link: OutgoingLink): void {
		this.#leaving.delete(peer);
		this.#outgoing.delete(peer);
		this.#gone.sentBytes += link.sentBytes;
		if (link.outbox !== null) this.#options.events.onBroken(peer, "to");
		link.destroy();
	}

	#makeOutgoing(peer: NodeId, addresses: readonly string[]): OutgoingLink {
		const { self, incarnations, maxQueuedBytes, events } = this.#options;
		return new OutgoingLink({
			...{ peer, addresses, self, incarnations, maxQueuedBytes },
			...{ silenceLimitMs, pingIntervalMs, complaints: this.#complaints },
			transport: this.#transport,
			onUp: () => this.#announce(peer),
			onDown: () => events.onBroken(peer, "to"),
		});
	}

	/** Members with a live link to them and from them. */
	connected(): NodeId[] {
		return [...this.#outgoing.keys()].filter((peer) => this.isConnected(peer));
	}

	isConnected(peer: NodeId): boolean {
		return this.#incoming.has(peer) && this.#outbox(peer) !== null;
	}

	/** What keeps this node apart from others until somebody does something about it. */
	troubles(): LinkTrouble[] {
		const refused = [...this.#outgoing].flatMap(([peer, { refusal }]) =>
			refusal === null
				? []
				: [{ kind: "refused" as const, peer, ...words(refusal) }],
		);
		const unknown = [...this.#incoming.keys()]
			.filter((peer) => !this.#outgoing.has(peer))
			.map((peer) => ({ kind: "unknown-address" as const, peer }));
		return [...refused, ...unknown];
	}

	/** The levels that a connected peer reads and writes; null for one that is not connected. */
	levelsOf(peer: NodeId): LevelRange | null {
		return this.isConnected(peer) ? (this.#levels.get(peer) ?? null) : null;
	}

	/** Fetches the snapshot at `index` into the store; null when `from` no longer has it, or is no member. */
	async fetchSnapshot(
		from: NodeId,
		index: number,
	): Promise<SnapshotManifest | null> {
		const address = this.#outgoing.get(from)?.address;
		if (address === undefined) return null;
		return await fetchSnapshot({
			...{ snapshotStallMs, ...this.#options },
			...{ from, address, index, counters: this.counters },
			transport: this.#transport,
			signal: this.#closing.signal,
		});
	}

	/** Collected until `flush`. `block` holds the entries of an append-request. */
	message(message: Message, block: Uint8Array): void {
		const outbox = this.#outbox(message.to);
		if (outbox === null) this.counters.dropped++;
		else outbox.message(message, block);
	}

	forward(to: NodeId, commands: readonly ForwardedCommand[]): void {
		this.#outbox(to)?.forward(commands);
	}

	/** Not sent when the connection `link`, on which the commands came, is gone. */
	answer(to: NodeId, link: number, answers: readonly ForwardAnswer[]): void {
		if (this.#incoming.get(to)?.id === link)
			this.#outbox(to)?.outcomes(answers);
	}

	/** Sends what this turn has collected: one write for each peer. */
	flush(): void {
		for (const link of this.#outgoing.values()) link.flush();
	}

	/** To be called after the sockets were read, so that nothing is judged that waits to be read (P68). */
	tick(nowMs: number): void {
		this.#nowMs = nowMs;
		for (const [peer, untilMs] of this.#leaving) {
			const link = this.#outgoing.get(peer);
			if (nowMs >= untilMs && link !== undefined) this.#drop(peer, link);
		}
		for (const link of this.#outgoing.values()) link.tick(nowMs);
		for (const link of this.#accepted) link.tick(nowMs);
	}

	/** Bytes from and to all peers since the start, and those that wait to be sent. */
	bytes(): { sent: number; read: number; queued: number } {
		const total = {
			sent: this.#gone.sentBytes,
			read: this.#gone.readBytes,
			queued: 0,
		};
		for (const link of this.#outgoing.values()) {
			total.sent += link.sentBytes;
			total.queued += link.queuedBytes;
		}
		for (const link of this.#accepted) total.read += link.readBytes;
		return total;
	}

	async close(): Promise<void> {
		const closed = new Promise<void>((resolve) =>
			this.#acceptor.server.close(() => resolve()),
		);
		this.#acceptor.abandon();
		await Promise.all([...this.#outgoing.values()].map((link) => link.close()));
		for (const link of this.#accepted) link.destroy();
		this.#closing.abort();
		this.#sender.close();
		await closed;
	}

	/** At once, with nothing more said to anyone. */
	destroy(): void {
		this.#acceptor.server.close();
		this.#acceptor.abandon();
		this.#closing.abort();
		this.#sender.close();
		for (const link of this.#outgoing.values()) link.destroy();
		for (const link of this.#accepted) link.destroy();
	}

	#outbox(peer: NodeId) {
		return this.#outgoing.get(peer)?.outbox ?? null;
	}

	#complainOf(socket: Socket, reason: string): void {
		const remote = socket.remoteAddress ?? "unknown";
		this.counters.refused++;
		this.#complaints.say({
			...{ source: `handshake ${remote}`, cause: reason },
			message: `refused a connection of ${remote}: ${reason}`,
			fields: { remote },
		});
	}

	#accept(socket: Socket, caller: Certified | null): void {
		const link = new IncomingLink(socket, {
			caller,
			...{ id: ++this.#lastLinkId, rules: this.#options, silenceLimitMs },
			nowMs: this.#nowMs,
			onOpen: (opened, hello) => this.#admit(opened, hello),
			onSnapshot: (handed, { from }) => this.#sender.serve(handed, from),
			onFrame: (sender, frame) => {
				this.counters.framesIn++;
				const from = sender.from as NodeId;
				const { events } = this.#options;
				if (frame.type === "forward") events.onForward(from, sender.id, frame);
				else if (frame.type === "outcomes") events.onOutcomes(from, frame);
				else if (frame.type === "append-request")
					events.onMessage(frame, frame.block);
				else if (frame.type !== "ping" && frame.type !== "pong")
					events.onMessage(frame, null);
			},
			onRefused: (hello, refusal) => {
				this.counters.refused++;
				this.#complaints.say({
					source: `from ${hello.from}`,
					cause: refusal.cause,
					message: `refused a connection: ${refusal.sentence}`,
					fields: { from: hello.from, remote: link.remoteAddress },
				});
			},
			onClosed: (closed, end) => this.#closed(closed, end),
		});
		this.#accepted.add(link);
	}

	/** A newer connection of a peer takes the place of its older one, which it has given up. */
	#admit(link: IncomingLink, { from, levels }: HelloFrame): void {
		this.#levels.set(from, levels);
		const older = this.#incoming.get(from);
		this.#incoming.set(from, link);
		if (older !== undefined) {
			this.#accepted.delete(older);
			this.#gone.readBytes += older.readBytes;
			older.destroy();
			this.#options.events.onBroken(from, "from");
		}
		this.#complaints.settled(`from ${from}`);
		const outgoing = this.#outgoing.get(from);
		outgoing?.dialSoon();
		if (outgoing === undefined)
			this.#complaints.say({
				...{ source: `to ${from}`, cause: "unknown-address", level: "info" },
				message: `${from} dials this node, and neither the log nor members in the node's configuration say where ${from} is`,
				fields: { peer: from, remote: link.remoteAddress },
			});
		this.#announce(from);
	}

	#announce(peer: NodeId): void {
		if (!this.isConnected(peer)) return;
		this.#options.diagnose("info", `linked with ${peer}`, { peer });
		this.#options.events.onConnected(peer);
	}

	#closed(
		link: IncomingLink,
		{ reason, bad }: { readonly reason: string; readonly bad: boolean },
	): void {
		this.#accepted.delete(link);
		this.#gone.readBytes += link.readBytes;
		const { from } = link;
		if (bad) {
			this.counters.badFrames++;
			this.#complaints.say({
				source: `bad ${from ?? link.remoteAddress}`,
				cause: "bad-frame",
				message: `closed a connection of ${from ?? link.remoteAddress}: ${reason}`,
				fields: { from, remote: link.remoteAddress },
			});
		}
		if (from === null || this.#incoming.get(from) !== link) return;
		this.#incoming.delete(from);
		this.#options.events.onBroken(from, "from");
	}
}

function words({ cause, sentence }: Refusal) {
	return { cause, sentence };
}
