import type { Random } from "../sim/random.js";
import { mutated } from "./mutations.js";

/** What may stand where something else was meant. */
const strangers: readonly unknown[] = [
	null,
	true,
	0,
	-1,
	0.5,
	2 ** 31,
	2 ** 48,
	2 ** 53 + 2,
	1e308,
	"",
	"n1",
	"n3",
	"__proto__",
	"x".repeat(300),
	"\u0000",
	"\ud800",
	"18446744073709551615",
	[],
	{},
	[[]],
	["n1", "n1"],
	{ base64: "AA==" },
	{ base64: "*" },
];

/** Spelt as JSON, but not by JSON.stringify. */
const spellings = [
	"1e999",
	"-0",
	"18446744073709551616",
	'{"__proto__":{"voters":[]}}',
	`${"[".repeat(500)}${"]".repeat(500)}`,
	'"\\ud800"',
	'{"a":1,"a":2}',
];

const placeholder = "@@";

/** The JSON text of `value` with parts replaced, left out, added or doubled; now and then its bytes changed, too. */
export function mutatedJson(value: unknown, random: Random): Buffer {
	let changed = structuredClone(value);
	for (let left = random.whole(1, 3); left > 0; left -= 1)
		changed = changedPart(changed, random);
	const text = JSON.stringify(changed).replaceAll(`"${placeholder}"`, () =>
		random.pick(spellings),
	);
	const bytes = Buffer.from(text);
	return random.chance(0.25) ? mutated(bytes, random) : bytes;
}

function changedPart(value: unknown, random: Random): unknown {
	if (typeof value !== "object" || value === null || random.chance(0.1))
		return random.chance(0.2) ? placeholder : random.pick(strangers);
	const keys = Object.keys(value);
	const key = keys.length === 0 ? "a" : random.pick(keys);
	if (Array.isArray(value)) return changedList(value, Number(key) || 0, random);
	const fields: Record<string, unknown> = { ...value };
	switch (random.below(4)) {
		case 0:
			delete fields[key];
			break;
		case 1:
			fields[random.pick(["a", "constructor", "type", `${key}s`])] =
				random.pick(strangers);
			break;
		default:
			fields[key] = changedPart(fields[key], random);
	}
	return fields;
}

function changedList(list: unknown[], at: number, random: Random): unknown[] {
	switch (random.below(4)) {
		case 0:
			return list.toSpliced(at, 1);
		case 1:
			return list.toSpliced(at, 0, list[at] ?? random.pick(strangers));
		default:
			if (list.length === 0) return [random.pick(strangers)];
			return list.with(
				Math.min(at, list.length - 1),
				changedPart(list[at], random),
			);
	}
}
