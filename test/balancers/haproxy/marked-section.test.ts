import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	sectionIn,
	withSection,
} from "../../../src/balancers/haproxy/marked-section.js";

const line = fc
	.string({ maxLength: 20 })
	.filter((text) => !/[\r\n]/.test(text) && !text.includes("raftctl"));
const lines = fc
	.array(line, { maxLength: 8 })
	.map((all) => all.map((one) => `${one}\n`).join(""));

describe("a cluster's part of a file that others write, too", () => {
	it("is put at the end, found again, and replaced without touching the rest", () => {
		fc.assert(
			fc.property(lines, lines, lines, lines, (before, after, one, other) => {
				const first = withSection(before, "orders", one) + after;
				expect(sectionIn(first, "orders")).toBe(one);
				const second = withSection(first, "orders", other);
				expect(sectionIn(second, "orders")).toBe(other);
				expect(withSection(second, "orders", one)).toBe(first);
			}),
		);
	});

	it("stands beside another cluster's", () => {
		const both = withSection(withSection("", "a", "1\n"), "b", "2\n");
		expect(sectionIn(both, "a")).toBe("1\n");
		expect(sectionIn(withSection(both, "a", "3\n"), "b")).toBe("2\n");
	});

	it("is not the part of a cluster whose name begins alike", () => {
		const text = withSection("", "orders-eu", "1\n");
		expect(sectionIn(text, "orders")).toBeNull();
	});

	it.each([
		"# BEGIN raftctl orders: x\nold\n",
		"old\n# END raftctl orders\n",
		"# END raftctl orders\n# BEGIN raftctl orders: x\n",
	])("is not guessed at when its marks are damaged: %j", (text) => {
		expect(() => withSection(text, "orders", "new\n")).toThrow(/marks/);
	});
});
