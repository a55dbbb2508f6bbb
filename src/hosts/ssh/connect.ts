import { connect as connectSocket, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import ssh2 from "ssh2";
import { OperatorError } from "../../errors.js";
import { exchangeByKey } from "./certificate-exchange.js";
import { Connection } from "./connection.js";
import { Deadline } from "./deadline.js";
import type { Destination } from "./destination.js";
import {
	authenticationFailure,
	connectFailure,
	connectTimeout,
} from "./failures.js";
import { algorithmsFor, judgeHost, remember } from "./host-trust.js";
import { type KeyStore, openKeyRing } from "./key-ring.js";
import type { KnownHost } from "./known-hosts.js";
import { readKnownHosts } from "./known-hosts-file.js";
import type { Link } from "./link.js";
import { raced } from "./raced.js";

interface ConnectOptions {
	/** The host that the way leads over; null for the network itself. */
	readonly over: Link | null;
	readonly store: KeyStore;
	readonly signal: AbortSignal;
}

/**
 * A connection whose host has shown the right key and let us in. Throws OperatorError "unreachable" that says what is
 * wrong and what to do. It takes at most the destination's limit; what the host on the way takes, and time in which a
 * person is asked, does not count.
 */
export async function connect(
	destination: Destination,
	{ over, store, signal }: ConnectOptions,
): Promise<Connection> {
	const way = over === null ? null : await raced(over.connection(), signal);
	const late = new AbortController();
	const limit = new Deadline(destination.connectTimeoutMs, () =>
		late.abort(connectTimeout(destination)),
	);
	const stopPausing = store.pausing(limit);
	const either = AbortSignal.any([signal, late.signal]);
	const client = new ssh2.Client();
	try {
		const known = await readKnownHosts(destination.knownHosts);
		const ring = await openKeyRing(destination, store);
		const socket = await openSocket(destination, way, either);
		const newcomer = await raced(
			handshake({ client, destination, known, ring, socket }),
			either,
		);
		if (newcomer !== null) await remember(destination, newcomer);
		return new Connection(destination, client);
	} catch (error) {
		client.on("error", () => {});
		client.destroy();
		either.throwIfAborted();
		throw connectFailure(destination, error);
	} finally {
		limit.end();
		stopPausing();
	}
}

async function openSocket(
	destination: Destination,
	way: Connection | null,
	signal: AbortSignal,
): Promise<Duplex> {
	const { hostName: host, port } = destination;
	if (way !== null) return raced(way.forward(host, port), signal);
	// The name is looked up anew for every connection.
	const socket: Socket = connectSocket({ host, port });
	const connected = new Promise<Duplex>((resolve, reject) => {
		socket.once("connect", () => resolve(socket));
		socket.once("error", reject);
	});
	try {
		await raced(connected, signal);
		socket.setNoDelay(true);
		return socket;
	} catch (error) {
		socket.on("error", () => {});
		socket.destroy();
		throw error;
	}
}

interface Handshake {
	readonly client: InstanceType<typeof ssh2.Client>;
	readonly destination: Destination;
	readonly known: readonly KnownHost[];
	readonly ring: Awaited<ReturnType<typeof openKeyRing>>;
	readonly socket: Duplex;
}

/**
 * The host is verified before anything is offered to it: ssh2 believes every key unless it is told not to. Resolves with
 * its key when it is to be written down.
 */
function handshake(options: Handshake): Promise<Buffer | null> {
	const { client, destination, known, ring, socket } = options;
	return new Promise((resolve, reject) => {
		let refusal: unknown = null;
		let offered = false;
		let newcomer: Buffer | null = null;
		client.once("ready", () => resolve(newcomer));
		client.on("error", (error: Error & { level?: string }) => {
			// One key that could not sign: the next one is tried.
			if (error.level === "agent") return;
			if (refusal !== null) reject(refusal);
			else if (offered && error.level !== "client-socket")
				reject(authenticationFailure(destination, ring.notes, error));
			else reject(protocolFailure(destination, error));
		});
		client.once("close", () =>
			reject(connectFailure(destination, { code: "ECONNRESET" })),
		);
		client.connect({
			sock: socket,
			username: destination.user,
			// Deadlines are ours: they stand still while a person is asked.
			readyTimeout: 0,
			keepaliveInterval: keepaliveMs,
			keepaliveCountMax: keepalivesMissed,
			algorithms: { serverHostKey: algorithmsFor(known, destination) },
			// Decided at once: what ssh2 checks next would else be what people are told.
			hostVerifier: (key: Buffer): boolean => {
				try {
					const judged = judgeHost(destination, known, key);
					if (judged.key !== key) exchangeByKey(client, key, judged.key);
					if (judged.isNew) newcomer = judged.key;
					return true;
				} catch (error) {
					refusal = error;
					return false;
				}
			},
			authHandler: (_left, _partial, next) => {
				if (offered) return next(false as never);
				offered = true;
				next({
					type: "agent",
					...{ username: destination.user, agent: ring.agent },
				});
			},
		});
	});
}

/** A host that is gone is noticed after so long, whatever the network says. */
const keepaliveMs = 5_000;
const keepalivesMissed = 3;

function protocolFailure(
	destination: Destination,
	error: Error & { level?: string },
): OperatorError {
	if (error.level === "client-socket")
		return connectFailure(destination, error);
	return new OperatorError(
		"unreachable",
		`${destination.name} and raftctl could not agree on how to speak: ${error.message}`,
		{
			node: destination.name,
			state: "nothing was done there",
			next: "look whether an SSH server listens at that port, and at its log: journalctl -u ssh",
			cause: error,
		},
	);
}
