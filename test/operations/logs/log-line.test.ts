import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	type LogLine,
	logLineOf,
	mergedByTime,
} from "../../../src/operations/logs/log-line.js";

const origin = { node: "n1", atMs: 5 };

describe("a line of a log", () => {
	it("of raftd has its own time, level, message and fields", () => {
		const text =
			'{"level":"warn","time":"2026-01-02T03:04:05.678Z","term":7,"msg":"slow"}';
		expect(logLineOf(text, origin)).toEqual({
			...{ node: "n1", level: "warn", message: "slow", fields: { term: 7 } },
			atMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
		});
	});

	it.each([
		["Started raftd-orders-n1.service."],
		["{ this is no JSON"],
		['{"level":"info"}'],
		['{"msg":7}'],
		["null"],
		[""],
	])("that is not raftd's is taken as it is: %s", (text) => {
		expect(logLineOf(text, origin)).toEqual({
			...{ ...origin, level: null, message: text, fields: {} },
		});
	});

	it("has the time that is known besides when its own is none", () => {
		const text = '{"level":30,"time":"yesterday","msg":"x"}';
		expect(logLineOf(text, origin)).toMatchObject({ atMs: 5, level: null });
	});
});

describe("one stream of several", () => {
	const line = (node: string, atMs: number | null, message = ""): LogLine => ({
		...{ node, atMs, level: null, message, fields: {} },
	});

	it("is by time, and a line without one stays behind the line before it", () => {
		const merged = mergedByTime([
			[line("n1", 10), line("n1", null, "at …"), line("n1", 30)],
			[line("n2", 20), line("n2", 40)],
		]);
		expect(merged.map(({ node, atMs }) => [node, atMs])).toEqual([
			...[
				["n1", 10],
				["n1", null],
				["n2", 20],
			],
			...[
				["n1", 30],
				["n2", 40],
			],
		]);
	});

	it("has each line once, and those of one node in their order, whatever the clocks did", () => {
		const stream = fc.array(fc.option(fc.nat(50)), { maxLength: 12 });
		fc.assert(
			fc.property(fc.array(stream, { maxLength: 4 }), (times) => {
				const streams = times.map((each, node) =>
					each.map((atMs, at) => line(`n${node}`, atMs, String(at))),
				);
				const merged = mergedByTime(streams);
				expect(merged).toHaveLength(streams.flat().length);
				for (const [node, lines] of streams.entries())
					expect(merged.filter((one) => one.node === `n${node}`)).toEqual(
						lines,
					);
			}),
		);
	});
});
