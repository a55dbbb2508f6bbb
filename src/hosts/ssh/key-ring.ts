import { readFile, stat } from "node:fs/promises";
import ssh2, {
	type IdentityCallback,
	type ParsedKey,
	type SignCallback,
	type SigningRequestOptions,
} from "ssh2";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Deadline } from "./deadline.js";
import type { Destination } from "./destination.js";
import { fingerprint } from "./known-hosts.js";
import { encryptedPublicKey } from "./private-key.js";
import type { SshSurroundings } from "./surroundings.js";

/** Private keys and passphrases, read once for all hosts. */
export class KeyStore {
	readonly #surroundings: SshSurroundings;
	readonly #signal: AbortSignal;
	readonly #opened = new Map<string, Promise<ParsedKey>>();
	readonly #limits = new Set<Deadline>();
	#opening = 0;

	constructor(surroundings: SshSurroundings, signal: AbortSignal) {
		this.#surroundings = surroundings;
		this.#signal = signal;
	}

	/**
	 * The limit stands still while a person is asked, and while a passphrase is tried, which is slow on purpose and lets
	 * nothing else happen meanwhile: until the function that this returns is called.
	 */
	pausing(limit: Deadline): () => void {
		this.#limits.add(limit);
		if (this.#opening > 0) limit.pause();
		return () => void this.#limits.delete(limit);
	}

	/** The private key, its passphrase asked for where it has one. */
	open(file: string): Promise<ParsedKey> {
		const known = this.#opened.get(file);
		if (known !== undefined) return known;
		this.#opening += 1;
		for (const limit of this.#limits) limit.pause();
		const opening = this.#open(file).finally(() => {
			this.#opening -= 1;
			if (this.#opening === 0) for (const limit of this.#limits) limit.resume();
		});
		this.#opened.set(file, opening);
		return opening;
	}

	async #open(file: string): Promise<ParsedKey> {
		const content = await readFile(file);
		const plain = oneKey(ssh2.utils.parseKey(content));
		if (!(plain instanceof Error)) return plain;
		for (let attempt = 0; attempt < passphraseAttempts; attempt += 1) {
			const passphrase = await this.#surroundings.askPassphrase(
				...([file, attempt > 0, this.#signal] as const),
			);
			if (passphrase === null) break;
			const key = oneKey(ssh2.utils.parseKey(content, passphrase));
			if (!(key instanceof Error)) return key;
		}
		throw new Error(`the passphrase of ${file} is not known`);
	}
}

const passphraseAttempts = 3;

interface Identity {
	readonly key: ParsedKey;
	/** Null: the agent holds it. */
	readonly file: string | null;
	readonly label: string;
}

export interface KeyRing {
	readonly agent: InstanceType<typeof ssh2.BaseAgent>;
	/** For people: which keys were offered, and which could not be. */
	readonly notes: readonly string[];
}

/**
 * All keys to offer to a host, as one agent, in OpenSSH's order: those of the agent that files name, the other ones of the
 * agent, files that the agent does not hold. A passphrase is only asked for when the host takes the key.
 */
export async function openKeyRing(
	destination: Destination,
	store: KeyStore,
): Promise<KeyRing> {
	const notes: string[] = [];
	const files = await identitiesOfFiles(destination, notes);
	const held = await identitiesOfAgent(destination, notes);
	const sameAs = (one: Identity) => (other: Identity) =>
		one.key.getPublicSSH().equals(other.key.getPublicSSH());
	const named = held.filter((one) => files.some(sameAs(one)));
	const others = destination.identitiesOnly
		? []
		: held.filter((one) => !named.includes(one));
	const ofFiles = files.filter((one) => !held.some(sameAs(one)));
	const identities = [...named, ...others, ...ofFiles];
	notes.unshift(...identities.map(({ label }) => `offered: ${label}`));
	const agent = new Ring({ identities, destination, store, notes });
	return { agent, notes };
}

interface RingOptions {
	readonly identities: readonly Identity[];
	readonly destination: Destination;
	readonly store: KeyStore;
	readonly notes: string[];
}

class Ring extends ssh2.BaseAgent<ParsedKey> {
	readonly #options: RingOptions;

	constructor(options: RingOptions) {
		super();
		this.#options = options;
	}

	override getIdentities(done: IdentityCallback<ParsedKey>): void {
		done(
			undefined,
			this.#options.identities.map(({ key }) => key),
		);
	}

	override sign(
		key: ParsedKey,
		data: Buffer,
		options: SigningRequestOptions | SignCallback,
		done?: SignCallback,
	): void {
		const callback = typeof options === "function" ? options : done;
		const how = typeof options === "function" ? {} : options;
		void this.#sign(key, data, how).then(
			(signature) => callback?.(undefined, signature),
			(error: Error) => {
				this.#options.notes.push(`not used: ${reasonOf(error)}`);
				callback?.(error);
			},
		);
	}

	async #sign(
		key: ParsedKey,
		data: Buffer,
		options: SigningRequestOptions,
	): Promise<Buffer> {
		const { identities, destination, store } = this.#options;
		const identity = identities.find((one) =>
			one.key.getPublicSSH().equals(key.getPublicSSH()),
		);
		if (identity === undefined) throw new Error("the key is none of those");
		if (identity.file !== null) {
			const opened = await store.open(identity.file);
			const signature: unknown = opened.sign(data, options.hash);
			if (signature instanceof Error) throw signature;
			return signature as Buffer;
		}
		const agent = ssh2.createAgent(destination.agentSocket ?? "");
		return new Promise((resolve, reject) => {
			agent.sign(identity.key, data, options, (error, signature) => {
				if (signature === undefined) reject(error ?? new Error("no signature"));
				else resolve(signature);
			});
		});
	}
}

async function identitiesOfAgent(
	{ agentSocket }: Destination,
	notes: string[],
): Promise<readonly Identity[]> {
	if (agentSocket === null) return [];
	const agent = ssh2.createAgent(agentSocket);
	const keys = await new Promise<readonly unknown[]>((resolve) => {
		agent.getIdentities((error, found) => {
			if (error) notes.push(`the agent at ${agentSocket} does not answer`);
			resolve(found ?? []);
		});
	});
	return keys.flatMap((found): Identity[] => {
		const key = oneKey(ssh2.utils.parseKey(found as Buffer));
		if (key instanceof Error) return [];
		return [{ key, file: null, label: `${nameOf(key)} of the agent` }];
	});
}

async function identitiesOfFiles(
	{ identityFiles, identitiesNamed, name }: Destination,
	notes: string[],
): Promise<readonly Identity[]> {
	const found: Identity[] = [];
	for (const file of identityFiles) {
		const mode = await stat(file).then(
			(status) => status.mode,
			() => null,
		);
		if (mode === null) {
			if (identitiesNamed)
				throw new OperatorError(
					"unreachable",
					`the key file ${file} is not there`,
					{
						...{ node: name, state: "nothing was done there" },
						next: "correct identityFile in the cluster file",
					},
				);
			continue;
		}
		// As OpenSSH: who else can read a private key has it.
		if ((mode & 0o077) !== 0) {
			notes.push(`not offered: ${file} is open to others; chmod 600 ${file}`);
			continue;
		}
		const key = await publicPart(file);
		if (key instanceof Error)
			notes.push(`not offered: ${file}: ${key.message}`);
		else found.push({ key, file, label: `${nameOf(key)} of ${file}` });
	}
	return found;
}

/** Without a passphrase: from the file where that tells it, else from the .pub beside it. */
async function publicPart(file: string): Promise<ParsedKey | Error> {
	try {
		const content = await readFile(file);
		const plain = oneKey(ssh2.utils.parseKey(content));
		if (!(plain instanceof Error)) return plain;
		const shown =
			encryptedPublicKey(content.toString("latin1")) ??
			(await readFile(`${file}.pub`, "utf8").catch(() => null));
		return shown === null ? plain : oneKey(ssh2.utils.parseKey(shown));
	} catch (error) {
		return error as Error;
	}
}

function oneKey(parsed: ParsedKey | ParsedKey[] | Error): ParsedKey | Error {
	const [key] = [parsed].flat();
	return key ?? new Error("it holds no key");
}

function nameOf(key: ParsedKey): string {
	return `${key.type} ${fingerprint(key.getPublicSSH())}`;
}
