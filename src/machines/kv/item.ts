import { Fingerprint } from "../fingerprint.js";
import type { Item } from "./ordered-items.js";
import { store } from "./stored-bytes.js";

/** One for all items, as each is finished before the next begins. */
const print = new Fingerprint();

/**
 * What the state holds under `key`, which is a byte string: the bytes from `start` to `end`, copied. No view is made of
 * them, as every command and every item of a snapshot comes by here.
 */
export function itemOf(
	key: string,
	version: number,
	bytes: Buffer,
	start: number,
	end: number,
): Item {
	print.begin().text(key).number(version).bytes(bytes, start, end).end();
	const value = store(bytes, start, end);
	return { value, version, low: print.low, high: print.high };
}
