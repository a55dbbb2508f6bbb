import { describe, expect, it } from "vitest";
import { Random } from "../../sim/random.js";
import { judge, type KeyHistory } from "./check.js";
import { parseHistory } from "./history-text.js";
import { counter, register } from "./models.js";
import type { Operation } from "./operation.js";

function history(key: string, text: string): KeyHistory {
	return { key, model: register, operations: parseHistory(text) };
}

const sound = history(
	"sound",
	`a 0-1 write 1
	a 2-3 read = 1`,
);

describe("the judge of a run", () => {
	it("finds nothing wrong where every key is right", () => {
		expect(judge([sound])).toEqual({
			linearizable: true,
			operations: 2,
			undecided: [],
			offenders: [],
			offence: null,
		});
	});

	it("keeps keys apart", () => {
		const one = history("one", "a 0-1 write 1");
		const other = history("other", "a 2-3 read = null");
		expect(judge([one, other]).linearizable).toBe(true);
	});

	it("shows the smallest of the offending histories, cut to what is wrong", () => {
		const large = history(
			"large",
			`a 0-1 write 1
			a 2-3 write 2
			b 4-5 write 3
			b 6-7 swap 3 4 = true
			c 8-9 read = 1`,
		);
		const small = history(
			"small",
			`a 0-1 write 1
			b 0-4 read = 1
			b 5-6 write 2 = x
			a 7-8 write 3
			c 9-12 read = 1
			a 13-14 write 5
			a 15-16 read = 5`,
		);
		const { linearizable, offenders, offence } = judge([large, sound, small]);
		expect(linearizable).toBe(false);
		expect(offenders).toEqual(["large", "small"]);
		expect(offence?.key).toBe("small");
		expect(offence?.report.split("\n")).toEqual([
			"small (register): no order of these 3 operations gives these answers.",
			"From 0.000 to 12.000 ms; [===] took effect in between, [===? may have at any time since, [xxx] never did.",
			"   1 [===]                                      a: write 1",
			"   2                        [===]               a: write 3",
			"   3                               [=========]  c: read -> 1",
			"The longest order that is possible: 1, 2. After it fits none of: 3.",
		]);
	});

	it("does not call a run linearizable that it could not decide", () => {
		// Thirty writes at once, then an answer that none of them explains: too many orders to try.
		const writes = Array.from(
			{ length: 30 },
			(_, at) => `w${at} 0-100 write ${at}`,
		);
		const hard = history("hard", [...writes, "r 101-102 read = 99"].join("\n"));
		const { linearizable, undecided, offenders } = judge([sound, hard], 10_000);
		expect({ linearizable, undecided, offenders }).toEqual({
			linearizable: false,
			undecided: ["hard"],
			offenders: [],
		});
	});

	it("takes a hundred thousand operations over many keys, and one that is wrong among them", () => {
		const random = new Random(1);
		const histories = Array.from({ length: 1000 }, (_, at) =>
			simulated(`k${at}`, random, 100),
		);
		const all = judge(histories);
		expect(all.operations).toBe(100_000);
		expect(all.linearizable).toBe(true);
		const wrong = {
			key: "wrong",
			model: counter,
			operations: parseHistory("a 0-1 increment = 2"),
		};
		expect(judge([...histories, wrong]).offenders).toEqual(["wrong"]);
	});

	it("takes one long history of a single key", () => {
		const long = simulated("long", new Random(2), 20_000);
		expect(judge([long]).linearizable).toBe(true);
	});
});

/** What eight clients of a real register would have seen: each operation takes effect somewhere within its time. */
function simulated(key: string, random: Random, count: number): KeyHistory {
	let value: number | null = null;
	const operations = Array.from({ length: count }, (_, at): Operation => {
		const effectMs = at * 2;
		const startedAtMs = effectMs - random.between(0, 8);
		const atMs = effectMs + random.between(0, 8);
		const client = `c${at % 8}`;
		if (random.chance(0.5)) {
			const ending = { kind: "done", atMs, output: value } as const;
			return { client, input: { op: "read" }, startedAtMs, ending };
		}
		const input = { op: "write", value: random.below(5) };
		const ending = random.chance(0.05)
			? ({ kind: "unknown", atMs } as const)
			: ({ kind: "done", atMs, output: true } as const);
		if (ending.kind === "done" || random.chance(0.5)) value = input.value;
		return { client, input, startedAtMs, ending };
	});
	return { key, model: register, operations };
}
