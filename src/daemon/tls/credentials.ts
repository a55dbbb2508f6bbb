import { reasonOf } from "../../errors.js";
import {
	type Material,
	type NodeIdentity,
	readMaterial,
	type TlsFiles,
} from "./material.js";
import { WatchedFiles } from "./watched-files.js";

interface CredentialsOptions {
	readonly files: TlsFiles;
	readonly self: NodeIdentity;
	/** Others are shown from now on. */
	onReload(material: Material): void;
	/** What lies there cannot be used; the node goes on with what it has. */
	onFault(sentence: string): void;
}

/**
 * What this node shows and whom it trusts, read again whenever the files change. A connection that stands is left alone;
 * each new one uses what was read last.
 */
export class Credentials {
	readonly files: TlsFiles;
	readonly self: NodeIdentity;
	readonly #options: CredentialsOptions;
	readonly #listeners = new Set<(material: Material) => void>();
	readonly #watch: WatchedFiles;
	#material: Material;
	#fault: string | null = null;

	/** Throws OperatorError "refused" when the files cannot be used. */
	constructor(options: CredentialsOptions) {
		this.#options = options;
		this.files = options.files;
		this.self = options.self;
		const { ca, cert, key, client } = options.files;
		const paths = [ca, cert, key, client.ca, client.cert, client.key];
		// Watched before they are read: a change in between would be missed.
		this.#watch = new WatchedFiles(paths, () => this.reload());
		try {
			this.#material = readMaterial(options.files, options.self);
		} catch (error) {
			this.#watch.close();
			throw error;
		}
	}

	get material(): Material {
		return this.#material;
	}

	/** Why what lies in the files is not what is in use; null when it is. */
	get fault(): string | null {
		return this.#fault;
	}

	/** Reads the files now. What cannot be used changes nothing: the other files of a pair may be on their way. */
	reload(): void {
		let read: Material;
		try {
			read = readMaterial(this.files, this.self);
		} catch (error) {
			const fault = reasonOf(error);
			if (fault !== this.#fault) this.#options.onFault(fault);
			this.#fault = fault;
			return;
		}
		this.#fault = null;
		if (isSame(read, this.#material)) return;
		this.#material = read;
		for (const listener of this.#listeners) listener(read);
		this.#options.onReload(read);
	}

	/** Returns the function that ends it. */
	onChange(listener: (material: Material) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	close(): void {
		this.#watch.close();
		this.#listeners.clear();
	}
}

function isSame(one: Material, other: Material): boolean {
	return (
		JSON.stringify([one.own, one.client]) ===
		JSON.stringify([other.own, other.client])
	);
}
