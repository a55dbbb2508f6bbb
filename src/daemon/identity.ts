import { randomUUID } from "node:crypto";
import {
	closeSync,
	fsyncSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	renameSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { OperatorError } from "../errors.js";

/**
 * Reads `identity.json` of a data directory, or makes it when the directory is new, and holds it from then on. Refuses
 * a directory of another node or cluster, and one whose log or identity is gone: such a node has forgotten its votes,
 * and would give them a second time (P31). The caller holds the lock on the directory.
 */
export function openIdentity(options: IdentityOptions): IdentityFile {
	const path = join(options.directory, identityFileName);
	const stored = read(path);
	const hasLog = listed(join(options.directory, logDirectory)).length > 0;
	if (stored === null && hasLog) throw identityMissing(options, path);
	if (stored !== null) {
		refuseForeign(stored, options, path);
		if (stored.logStarted && !hasLog) throw logMissing(options, stored);
		return new IdentityFile(path, stored);
	}
	const made: Stored = {
		format: 1,
		clusterId: options.clusterId,
		nodeId: options.nodeId,
		incarnation: randomUUID(),
		logStarted: false,
		incarnations: {},
	};
	write(path, made);
	return new IdentityFile(path, made);
}

/** Makes the directory, readable by its owner only. */
export function makeDataDirectory(directory: string): void {
	mkdirSync(directory, { recursive: true, mode: 0o700 });
}

interface IdentityOptions {
	readonly directory: string;
	readonly clusterId: string;
	readonly nodeId: string;
}

export interface Identity {
	readonly clusterId: string;
	readonly nodeId: string;
	/** Random, made with the data directory: a wiped disk is another incarnation. */
	readonly incarnation: string;
}

export const identityFileName = "identity.json";
export const logDirectory = "wal";

/** A cluster has few members; more names than this in the file is a file that something else wrote. */
const incarnationsMax = 1024;

/** What the file holds; docs/formats.md. */
export const storedSchema = z.strictObject({
	format: z.literal(1),
	clusterId: z.string().min(1),
	nodeId: z.string().min(1),
	incarnation: z.string().min(1),
	/** The log has been opened once: from then on, an empty one means that it was lost. */
	logStarted: z.boolean(),
	/** The incarnation of every other node that this one has ever spoken to. */
	incarnations: z.record(z.string(), z.string()),
});

type Stored = z.infer<typeof storedSchema>;

/** Also the store of the peers' known incarnations. Each change is durable when the call returns, or it throws. */
export class IdentityFile {
	readonly identity: Identity;
	readonly #path: string;
	#stored: Stored;

	constructor(path: string, stored: Stored) {
		this.#path = path;
		this.#stored = stored;
		const { clusterId, nodeId, incarnation } = stored;
		this.identity = { clusterId, nodeId, incarnation };
	}

	known(nodeId: string): string | null {
		const { incarnations } = this.#stored;
		return Object.hasOwn(incarnations, nodeId)
			? (incarnations[nodeId] ?? null)
			: null;
	}

	learn(nodeId: string, incarnation: string): void {
		const known = this.#stored.incarnations;
		if (known[nodeId] === incarnation) return;
		if (Object.keys(known).length >= incarnationsMax) {
			throw new RangeError(
				`more than ${incarnationsMax} node ids in ${this.#path}`,
			);
		}
		this.#change({ incarnations: { ...known, [nodeId]: incarnation } });
	}

	/** To be called once the log exists on disk. */
	markLogStarted(): void {
		if (!this.#stored.logStarted) this.#change({ logStarted: true });
	}

	#change(change: Partial<Stored>): void {
		const next = { ...this.#stored, ...change };
		write(this.#path, next);
		this.#stored = next;
	}
}

function read(path: string): Stored | null {
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
		// Where it is a directory, the read fails, which does not know the name.
		throw Object.assign(error as NodeJS.ErrnoException, { path });
	}
	try {
		return storedSchema.parse(JSON.parse(text));
	} catch (cause) {
		throw new OperatorError("refused", `${path} is damaged`, {
			state: "nothing was changed; the node did not start",
			next: "restore the file from a backup of this node; without it the node cannot prove who it is",
			cause,
		});
	}
}

// Rename is atomic for readers, and the name is durable only after the directory's own fsync (P15).
function write(path: string, stored: Stored): void {
	const temporary = `${path}.tmp`;
	const file = openSync(temporary, "w", 0o600);
	try {
		writeSync(file, `${JSON.stringify(stored, null, "\t")}\n`);
		fsyncSync(file);
	} finally {
		closeSync(file);
	}
	renameSync(temporary, path);
	const directory = openSync(join(path, ".."), "r");
	try {
		fsyncSync(directory);
	} finally {
		closeSync(directory);
	}
}

/** Its names; none of what is not there. */
export function listed(directory: string): string[] {
	try {
		return readdirSync(directory);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
		throw error;
	}
}

function refuseForeign(
	stored: Stored,
	wanted: IdentityOptions,
	path: string,
): void {
	const foreign =
		stored.clusterId !== wanted.clusterId
			? `cluster ${stored.clusterId}, not to ${wanted.clusterId}`
			: stored.nodeId !== wanted.nodeId
				? `node ${stored.nodeId}, not to ${wanted.nodeId}`
				: null;
	if (foreign === null) return;
	throw new OperatorError(
		"refused",
		`data directory ${wanted.directory} belongs to ${foreign}`,
		{
			node: wanted.nodeId,
			state: `nothing was changed; ${path} says whose it is`,
			next: "set data in the node's configuration to this node's own directory; with an empty one the other nodes refuse it under its old name",
		},
	);
}

function identityMissing(
	options: IdentityOptions,
	path: string,
): OperatorError {
	return new OperatorError(
		"refused",
		`data directory ${options.directory} has a log but no ${identityFileName}`,
		{
			node: options.nodeId,
			state: `nothing was changed; without ${path} nobody can say whose log it is`,
			next: "restore the file from a backup of this node, or set data to a new empty directory if the node is to be a new one",
		},
	);
}

/** What to do when the log is not there any more, wherever that is noticed. */
export const logGoneNext =
	"put the directory back; else remove the node from the cluster and add a new member in its place: raftctl reset-node does both";

function logMissing(options: IdentityOptions, stored: Stored): OperatorError {
	return new OperatorError(
		"refused",
		`the log of node ${options.nodeId} is gone from ${join(options.directory, logDirectory)}`,
		{
			node: options.nodeId,
			state: `nothing was changed; incarnation ${stored.incarnation} has forgotten its votes and must not vote again`,
			next: logGoneNext,
		},
	);
}
