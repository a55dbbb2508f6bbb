import type { Logger } from "pino";
import type { Machine } from "../machines/machine.js";
import { lockDirectory } from "../storage/lock.js";
import type { ClientApi } from "./api/client-api.js";
import { openBackup } from "./backup/open.js";
import type { NodeConfig } from "./config.js";
import { Draining } from "./draining.js";
import type { NodeReplica } from "./engine/node-replica.js";
import { EventLoopMeter } from "./event-loop.js";
import { foundingConfiguration } from "./founding-configuration.js";
import {
	type IdentityFile,
	makeDataDirectory,
	openIdentity,
} from "./identity.js";
import { type LeaveReport, leave } from "./leave.js";
import { listenError } from "./listen.js";
import { loadMachine } from "./machine-module.js";
import { openOperatorPorts } from "./operator-ports.js";
import { requireOwnDirectory } from "./own-directory.js";
import { releaseOf } from "./release.js";
import type { Replica, ReplicaStatus } from "./replica.js";
import { openSecurity, type Security } from "./security.js";
import { startError } from "./start-error.js";

/**
 * Starts one node: machine, data directory, log and peers, admin port, client port, in this order. Throws an
 * OperatorError that says what is in the way; then everything that was opened is closed again.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
	const opened: Closable[] = [];
	try {
		return await open(options, opened);
	} catch (error) {
		await closeAll(opened);
		throw startError(error, options.config);
	}
}

interface NodeOptions {
	readonly config: NodeConfig;
	readonly logger: Logger;
	/** Changes with every start of the process. */
	readonly processId: string;
	/** The node cannot go on: nothing more will be acknowledged, and the process must end. */
	onFatal(error: Error): void;
}

export interface RunningNode {
	/** Reads certificates, keys and tokens again; null where there are none. */
	readonly reload: (() => void) | null;
	/** What it is, in a line for people. */
	readonly summary: () => string;
	/** Takes the node out of traffic and stops it, within the configured limit. */
	stop(): Promise<LeaveReport>;
}

interface Closable {
	close(): Promise<void> | void;
}

const nowMs = () => performance.now();

async function open(
	options: NodeOptions,
	opened: Closable[],
): Promise<RunningNode> {
	const { config, logger } = options;
	// Loaded while the log is read: the time from start to ready is time that the cluster runs with one node fewer.
	const modules = loadModules();
	const machine = await loadMachine(config.app ?? null);
	const security = await openSecurity({ config, logger, nowMs });
	opened.push(security);
	const identity = await openDataDirectory(config, opened);
	const eventLoop = new EventLoopMeter(nowMs());
	opened.push(eventLoop);
	const replica = await openReplica({
		...{ ...options, machine, identity, security },
	});
	opened.push(replica);
	identity.markLogStarted();
	const { raft, applied } = replica.status();
	logger.info(
		{
			term: raft.term,
			lastIndex: raft.lastIndex,
			commit: raft.commit,
			applied,
		},
		"log recovered",
	);

	let clients: ClientApi | null = null;
	const draining = new Draining({
		nowMs,
		onChange: (view) => logger.info(view, `drain: ${view.phase}`),
	});
	const ports = await openOperatorPorts({
		...options,
		server: (await modules).server,
		identity: identity.identity,
		release: releaseOf(config),
		machine,
		replica,
		draining,
		security,
		eventLoop,
		nowMs,
		clients: () => clients,
	});
	opened.push(ports);
	opened.push(
		openBackup({ config, logger, replica, identity: identity.identity }),
	);
	clients = await openClients({
		...{ config, machine, replica, modules, security },
	});
	opened.push(clients);
	draining.attach(clients);
	return running({ config, draining, replica, clients, opened, security });
}

/** Never rejects before somebody awaits it. */
function loadModules() {
	const modules = Promise.all([
		import("./admin/server.js"),
		import("./api/client-api.js"),
	]).then(([server, api]) => ({ server, api }));
	modules.catch(() => {});
	return modules;
}

async function openDataDirectory(
	config: NodeConfig,
	opened: Closable[],
): Promise<IdentityFile> {
	makeDataDirectory(config.data);
	requireOwnDirectory({ directory: config.data, nodeId: config.node });
	const lock = await lockDirectory(config.data);
	opened.push({ close: () => lock.release() });
	return openIdentity({
		directory: config.data,
		clusterId: config.cluster.id,
		nodeId: config.node,
	});
}

async function openReplica(
	options: NodeOptions & {
		machine: Machine;
		identity: IdentityFile;
		security: Security;
	},
): Promise<NodeReplica> {
	const { config, logger, machine, identity, onFatal } = options;
	const { transport } = options.security;
	const { startReplica } = await import("./engine/start.js");
	try {
		return await startReplica({
			identity: { ...identity.identity, levels: levelsOf(machine) },
			initial: foundingConfiguration(config),
			joins: config.join,
			release: releaseOf(config),
			dataDirectory: config.data,
			peerListen: config.listen.peer,
			...(transport === undefined ? {} : { transport }),
			timing: config.timing,
			limits: config.limits,
			machine,
			incarnations: identity,
			diagnose: (level, message, fields) =>
				logger[level](fields ?? {}, message),
			onFatal,
		});
	} catch (error) {
		throw listenError(error, config.listen.peer, "listen.peer");
	}
}

async function openClients(options: {
	config: NodeConfig;
	machine: Machine;
	replica: Replica;
	modules: ReturnType<typeof loadModules>;
	security: Security;
}): Promise<ClientApi> {
	const { config, machine, replica } = options;
	const { api } = await options.modules;
	return api.startClientApi({
		replica,
		machine,
		listen: config.listen.client,
		nodeId: config.node,
		credentials: options.security.credentials,
	});
}

function levelsOf({ levels }: Machine) {
	const [readsFrom, readsTo] = levels.reads;
	return { readsFrom, readsTo, writes: levels.writes };
}

/** The part of a stop's limit that is kept for closing what is open. */
const closingShare = 0.3;

function running(options: {
	config: NodeConfig;
	draining: Draining;
	replica: Replica;
	clients: ClientApi;
	opened: Closable[];
	security: Security;
}): RunningNode {
	const { drain } = options.config;
	const { security } = options;
	return {
		reload: security.isReloadable ? () => security.reload() : null,
		summary: () => summaryOf(options.replica.status()),
		async stop() {
			const report = await leave({
				...options,
				nowMs,
				settings: {
					announceMs: drain.announceMs,
					closeOverMs: drain.closeOverMs,
					limitMs: drain.timeoutMs * (1 - closingShare),
				},
			});
			await within(closeAll(options.opened), drain.timeoutMs * closingShare);
			return report;
		},
	};
}

function summaryOf({ raft }: ReplicaStatus): string {
	const { role, term, leader, id } = raft;
	const follows = leader === null || leader === id ? "" : ` of ${leader}`;
	return `${role}${follows} in term ${term}`;
}

// In reverse, so that the admin port answers "draining" for as long as anything is served.
async function closeAll(opened: Closable[]): Promise<void> {
	for (let last = opened.pop(); last !== undefined; last = opened.pop())
		await last.close();
}

async function within(work: Promise<void>, limitMs: number): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const expired = new Promise<never>((_, reject) => {
		timer = setTimeout(
			() => reject(new Error(`could not close within ${limitMs} ms`)),
			limitMs,
		);
	});
	await Promise.race([work, expired]).finally(() => clearTimeout(timer));
}
