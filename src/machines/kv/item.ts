import { Fingerprint } from "../fingerprint.js";
import type { Item } from "./ordered-items.js";
import type { StoredBytes } from "./stored-bytes.js";

/** One for all items, as each is finished before the next begins. */
const print = new Fingerprint();

/** What the state holds under `key`, which is a byte string. */
export function itemOf(key: string, value: StoredBytes, version: number): Item {
	print.begin().text(key).number(version);
	if (typeof value === "string") print.text(value).end();
	else print.bytes(value).end();
	return { value, version, low: print.low, high: print.high };
}
