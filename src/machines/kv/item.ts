import { Fingerprint } from "../fingerprint.js";
import type { Item } from "./ordered-items.js";
import { store } from "./stored-bytes.js";

/** One for all items, as each is finished before the next begins. */
const print = new Fingerprint();

/** What the state keeps of a value that was set. `key` is a byte string; nothing of `value` is held. */
export function itemOf(key: string, value: Buffer, version: number): Item {
	print.begin().text(key).number(version).bytes(value).end();
	return { value: store(value), version, low: print.low, high: print.high };
}
