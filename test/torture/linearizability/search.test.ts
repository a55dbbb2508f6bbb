import { describe, expect, it } from "vitest";
import { parseHistory } from "./history-text.js";
import type { AnyModel } from "./model.js";
import { counter, createAppendModel, register } from "./models.js";
import { search } from "./search.js";

function verdict(model: AnyModel, history: string): string {
	return search(model, parseHistory(history)).kind;
}

describe("a register", () => {
	const holds = (history: string) =>
		expect(verdict(register, history)).toBe("linearizable");
	const breaks = (history: string) =>
		expect(verdict(register, history)).toBe("not-linearizable");

	it("holds nothing before the first write", () => {
		holds("a 0-1 read = null");
		breaks("a 0-1 read = 1");
	});

	it("may show a concurrent write, or not yet", () => {
		holds(`
			a 0-10 write 1
			b 1-2 read = null
			c 3-4 read = 1`);
	});

	it("must not show a write and then forget it", () => {
		breaks(`
			a 0-10 write 1
			b 1-2 read = 1
			c 3-4 read = null`);
	});

	it("takes two calls that touch for concurrent", () => {
		holds(`
			a 0-5 write 1
			b 5-9 read = null`);
	});

	it("must not give a stale read", () => {
		breaks(`
			a 0-1 write 1
			a 2-3 write 2
			b 4-5 read = 1`);
	});

	it("must not lose an update", () => {
		breaks(`
			a 0-1 write 1
			b 2-6 swap 1 2 = true
			c 2-6 swap 1 3 = true`);
		holds(`
			a 0-1 write 1
			b 2-6 swap 1 2 = true
			c 2-6 swap 1 3 = false`);
	});

	it("swaps only what was expected", () => {
		holds(`
			a 0-1 swap null 4 = true
			a 2-3 swap 5 6 = false
			a 4-5 read = 4`);
		breaks(`
			a 0-1 swap null 4 = true
			b 2-3 swap 4 6 = false`);
	});

	it("may show a write of unknown outcome at any later time, or never", () => {
		holds(`
			a 0-? write 1
			b 1-2 read = null
			b 3-4 read = null
			b 5-6 read = 1`);
		holds(`
			a 0-? write 1
			b 1-2 read = null`);
	});

	it("must not show a write of unknown outcome twice, or before it began", () => {
		breaks(`
			a 0-? write 1
			b 1-2 read = 1
			b 3-4 write 2
			b 5-6 read = 1`);
		breaks(`
			b 1-2 read = 1
			a 3-? write 1`);
	});

	it("must not show a write that certainly failed", () => {
		breaks(`
			a 0-1 write 1 = x
			b 2-3 read = 1`);
		holds(`
			a 0-1 write 1 = x
			b 2-3 read = null`);
	});

	it("may write what is there already, and later again", () => {
		holds(`
			a 0-1 write 2
			b 2-9 write 2
			c 3-8 swap 2 1 = true
			d 3-8 swap 2 1 = true`);
	});

	it("may use several unknown writes in any order", () => {
		holds(`
			a 0-? write 1
			b 0-? write 2
			c 0-? write 3
			d 1-2 read = 3
			d 3-4 read = 1
			d 5-6 read = 2`);
	});

	it("may use the same unknown write as often as it was sent", () => {
		holds(`
			a 0-? write 1
			b 4-? write 1
			d 1-2 read = 1
			d 3-3 write 2
			d 5-6 read = 1`);
		breaks(`
			a 0-? write 1
			b 7-? write 1
			d 1-2 read = 1
			d 3-3 write 2
			d 5-6 read = 1`);
	});
});

describe("a counter", () => {
	const holds = (history: string) =>
		expect(verdict(counter, history)).toBe("linearizable");
	const breaks = (history: string) =>
		expect(verdict(counter, history)).toBe("not-linearizable");

	it("counts every increment once", () => {
		holds(`
			a 0-5 increment = 2
			b 0-5 increment = 1
			c 6-7 read = 2`);
		breaks(`
			a 0-5 increment = 1
			b 0-5 increment = 1`);
	});

	it("must not count an increment twice", () => {
		breaks(`
			a 0-1 increment = 1
			a 2-3 increment = 3`);
		breaks(`
			a 0-? increment
			b 1-2 read = 2`);
	});

	it("may count an increment of unknown outcome once", () => {
		holds(`
			a 0-? increment
			b 1-2 increment = 1
			b 3-4 increment = 3`);
	});

	it("must not count what certainly failed", () => {
		breaks(`
			a 0-1 increment = x
			b 2-3 increment = 2`);
	});

	it("is judged at once however many outcomes are unknown", () => {
		const unknown = Array.from({ length: 40 }, () => "a 0-? increment");
		const reads = Array.from(
			{ length: 20 },
			(_, at) => `b ${at * 2 + 1}-${at * 2 + 2} read = ${at * 2}`,
		);
		holds([...unknown, ...reads].join("\n"));
		breaks([...unknown, ...reads, "c 90-91 read = 41"].join("\n"));
	});
});

describe("a list", () => {
	const holds = (history: string) =>
		expect(verdict(createAppendModel(), history)).toBe("linearizable");
	const breaks = (history: string) =>
		expect(verdict(createAppendModel(), history)).toBe("not-linearizable");

	it("shows all that was appended, in one order", () => {
		holds(`
			a 0-5 append 7 = 2
			b 0-5 append 8 = 1
			c 6-7 read = [8,7]`);
		breaks(`
			a 0-5 append 7 = 1
			b 0-5 append 8 = 2
			c 6-7 read = [8,7]`);
	});

	it("must not lose an element", () => {
		breaks(`
			a 0-1 append 7 = 1
			a 2-3 append 8 = 2
			b 4-5 read = [8]`);
	});

	it("must not show an element twice", () => {
		breaks(`
			a 0-1 append 7 = 1
			b 2-3 read = [7,7]`);
		breaks(`
			a 0-? append 7
			b 2-3 read = [7,7]`);
	});

	it("must not go back", () => {
		breaks(`
			a 0-9 append 7 = 1
			b 1-2 read = [7]
			c 3-4 read = []`);
	});

	it("must not show what certainly failed", () => {
		breaks(`
			a 0-1 append 7 = x
			b 2-3 read = [7]`);
	});
});

describe("a search", () => {
	it("gives an order that explains every answer", () => {
		const history = parseHistory(`
			a 0-? write 1
			b 0-9 write 2
			c 1-2 read = 2
			c 3-4 read = 1`);
		const found = search(register, history);
		expect(found.kind).toBe("linearizable");
		const [one, two, first, second] = history;
		expect(found.kind !== "undecided" && found.order).toEqual([
			two,
			first,
			one,
			second,
		]);
	});

	it("says that it cannot tell rather than search for ever", () => {
		const writes = Array.from(
			{ length: 14 },
			(_, at) => `w${at} 0-100 write ${at}`,
		);
		const history = parseHistory([...writes, "r 101-102 read = 99"].join("\n"));
		expect(search(register, history, 1000).kind).toBe("undecided");
	});
});
