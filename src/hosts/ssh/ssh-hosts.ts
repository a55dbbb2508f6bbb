import type { HostEntry, Inventory } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { connect } from "./connect.js";
import {
	type Destination,
	destinationOf,
	jumpDestination,
	type Sources,
} from "./destination.js";
import { KeyStore } from "./key-ring.js";
import { Link } from "./link.js";
import type { Directive } from "./ssh-config.js";
import { readSshConfig } from "./ssh-config-file.js";
import { SshHost } from "./ssh-host.js";
import type { SshSurroundings } from "./surroundings.js";

/** Hosts behind hosts behind hosts: more is a circle. */
const jumpsDeep = 8;

/** All hosts of a cluster file, one connection to each, made when it is first needed. */
export class SshHosts {
	readonly #inventory: Pick<Inventory, "hosts" | "ssh">;
	readonly #surroundings: SshSurroundings;
	readonly #closed = new AbortController();
	readonly #store: KeyStore;
	readonly #links = new Map<string, Link>();
	#directives: Promise<readonly Directive[]> | null = null;

	constructor(
		inventory: Pick<Inventory, "hosts" | "ssh">,
		surroundings: SshSurroundings,
	) {
		this.#inventory = inventory;
		this.#surroundings = surroundings;
		this.#store = new KeyStore(surroundings, this.#closed.signal);
	}

	/** Nothing is connected yet. `account` is whom things are done as there; null for whoever logs in. */
	async host(name: string, account: string | null): Promise<SshHost> {
		const entry = this.#entry(name);
		if (entry === undefined)
			throw new OperatorError(
				"config",
				`the host ${name} is not in the cluster file`,
				{ state: "nothing was touched", next: "name it under hosts" },
			);
		const sources = await this.#sources();
		const link = this.#linkTo(destinationOf(entry, sources), sources, 0);
		return new SshHost({ name, link, account });
	}

	async close(): Promise<void> {
		this.#closed.abort(new Error("it was closed"));
		await Promise.all([...this.#links.values()].map((link) => link.close()));
	}

	#entry(name: string): HostEntry | undefined {
		return this.#inventory.hosts.find((entry) => entry.name === name);
	}

	async #sources(): Promise<Sources> {
		const { ssh } = this.#inventory;
		const { home, user, agentSocket } = this.#surroundings;
		this.#directives ??=
			ssh.config === null
				? Promise.resolve([])
				: readSshConfig(ssh.config.replace(/^~(?=\/|$)/, home), home);
		const directives = await this.#directives;
		return { ssh, directives, person: { home, user, agentSocket } };
	}

	#linkTo(destination: Destination, sources: Sources, depth: number): Link {
		const { name, user, hostName, port, jumps } = destination;
		if (depth > jumpsDeep)
			throw new OperatorError(
				"config",
				`the way to ${name} leads over more than ${jumpsDeep} hosts, or in a circle`,
				{
					...{ node: name, state: "nothing was touched" },
					next: "look at jump in the cluster file, and at ProxyJump in ~/.ssh/config",
				},
			);
		const key = JSON.stringify([user, hostName, port, jumps]);
		const known = this.#links.get(key);
		if (known !== undefined) return known;
		const over = this.#jumpOf(destination, sources);
		const before =
			over === null ? null : this.#linkTo(over, sources, depth + 1);
		const link = new Link(name, (signal) =>
			connect(destination, { over: before, store: this.#store, signal }),
		);
		this.#links.set(key, link);
		return link;
	}

	/** The last host before this one; those before that are its own. */
	#jumpOf({ jumps }: Destination, sources: Sources): Destination | null {
		const word = jumps.at(-1);
		if (word === undefined) return null;
		const entry = this.#entry(word);
		// The way that leads to all others does not lead to the one that it leads over.
		const ssh = { ...sources.ssh, jump: null };
		const over =
			entry === undefined
				? jumpDestination(word, sources)
				: destinationOf(entry, { ...sources, ssh });
		const earlier = jumps.slice(0, -1);
		return earlier.length === 0 ? over : { ...over, jumps: earlier };
	}
}
