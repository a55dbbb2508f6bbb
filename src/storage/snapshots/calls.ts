import { receiveError } from "../hand-over.js";
import type { Answer, AnswerValue, Call, Request } from "./hand-over.js";
import type { SnapshotManifest } from "./snapshot-store.js";

/** The way to whoever carries requests out. */
export interface DeskLink {
	/** Hands a request over; its answer comes later, and in order. */
	post(request: Request, transfer: ArrayBuffer[]): void;
	/** After the answer to the last request. */
	close(): Promise<void>;
}

interface Waiting {
	resolve(value: AnswerValue): void;
	reject(error: Error): void;
}

/** Asks, and keeps the answers apart. */
export class Calls {
	readonly #link: DeskLink;
	readonly #waiting = new Map<number, Waiting>();
	#list: readonly SnapshotManifest[] = [];
	#last = 0;
	#ended: Error | null = null;

	constructor(link: DeskLink) {
		this.#link = link;
	}

	/** As of the last answer. */
	get list(): readonly SnapshotManifest[] {
		return this.#list;
	}

	/** What is open over there goes by it. */
	newHandle(): number {
		this.#last += 1;
		return this.#last;
	}

	/** Rejects with what went wrong over there. */
	ask<T extends AnswerValue>(
		call: Call,
		transfer: ArrayBuffer[] = [],
	): Promise<T> {
		if (this.#ended !== null) return Promise.reject(this.#ended);
		const id = this.newHandle();
		return new Promise<AnswerValue>((resolve, reject) => {
			this.#waiting.set(id, { resolve, reject });
			this.#link.post({ ...call, id }, transfer);
		}) as Promise<T>;
	}

	/** Closes what goes by `handle`; no matter whether it is closed already. */
	async release(handle: number): Promise<void> {
		await this.ask({ kind: "release", handle }).catch(() => undefined);
	}

	/** The last call; all that come after it are refused, and so are those that nobody answers. */
	async end(): Promise<void> {
		const last = this.ask({ kind: "end" }).catch(() => undefined);
		this.#ended ??= new Error("the snapshots are closed");
		await last;
		await this.#link.close();
		this.fail(this.#ended);
	}

	/** For the link. */
	opened(list: readonly SnapshotManifest[]): void {
		this.#list = list;
	}

	/** For the link. */
	answered({ id, value, error, list }: Answer): void {
		if (list !== null) this.#list = list;
		const waiting = this.#waiting.get(id);
		this.#waiting.delete(id);
		if (error === null) waiting?.resolve(value);
		else waiting?.reject(receiveError(error));
	}

	/** For the link: nobody will answer any more. */
	fail(error: Error): void {
		this.#ended ??= error;
		for (const { reject } of this.#waiting.values()) reject(error);
		this.#waiting.clear();
	}
}
