import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unifiedDiff } from "../../../src/config/edit/difference.js";

const numbered = Array.from({ length: 20 }, (_, at) => `${at + 1}`);

function textOf(lines: readonly string[]): string {
	return lines.map((line) => `${line}\n`).join("");
}

/** Applies the hunks, as `patch` does. */
function patched(text: string, diff: readonly string[]): string {
	const lines = text.split("\n").slice(0, -1);
	const result: string[] = [];
	let at = 0;
	for (const line of diff.slice(2)) {
		const hunk = /^@@ -(\d+),(\d+) /.exec(line);
		if (hunk !== null) {
			const begin = Number(hunk[1]) - (hunk[2] === "0" ? 0 : 1);
			result.push(...lines.slice(at, begin));
			at = begin;
			continue;
		}
		if (line.startsWith("+")) result.push(line.slice(1));
		else {
			expect(lines[at]).toBe(line.slice(1));
			at += 1;
			if (line.startsWith(" ")) result.push(line.slice(1));
		}
	}
	return textOf([...result, ...lines.slice(at)]);
}

describe("the difference of two texts", () => {
	it("is nothing where there is none", () => {
		expect(unifiedDiff("a", "x\n", "x\n")).toEqual([]);
	});

	it("shows changes that are far apart each with its lines around it", () => {
		const after = numbered.with(1, "two").toSpliced(17, 1);
		const diff = unifiedDiff("a", textOf(numbered), textOf(after));
		expect(diff).toEqual([
			...["--- a", "+++ a", "@@ -1,5 +1,5 @@", " 1", "-2", "+two"],
			...[" 3", " 4", " 5", "@@ -15,6 +15,5 @@", " 15", " 16", " 17"],
			...["-18", " 19", " 20"],
		]);
	});

	it("makes one text of the other", () => {
		const lines = fc.array(fc.constantFrom("a", "b", "c", ""), {
			maxLength: 12,
		});
		fc.assert(
			fc.property(lines, lines, (from, to) => {
				const diff = unifiedDiff("a", textOf(from), textOf(to));
				expect(patched(textOf(from), diff)).toBe(textOf(to));
			}),
		);
	});
});
