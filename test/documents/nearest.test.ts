import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearest } from "../../src/documents/nearest.js";

const word = fc.string({ minLength: 3, maxLength: 6 });

describe("the nearest known key", () => {
	it.each([
		["lissten", "listen"],
		["electiontimeout", "electionTimeout"],
		["naem", "name"],
		["rol", "role"],
	])("guesses that %s was meant to be %s", (typed, meant) => {
		const known = ["name", "nodes", "listen", "electionTimeout", "role"];
		expect(nearest(typed, known)).toBe(meant);
	});

	it("guesses nothing when nothing is near", () => {
		expect(nearest("replicas", ["name", "nodes", "balancer"])).toBeNull();
	});

	it("bounds the work on a key that is a whole paragraph", () => {
		expect(nearest("x".repeat(1_000_000), ["name"])).toBeNull();
	});
});

describe("the edit distance", () => {
	it("is 0 for equal words and the same both ways", () => {
		fc.assert(
			fc.property(word, word, (one, other) => {
				expect(editDistance(one, one)).toBe(0);
				expect(editDistance(one, other)).toBe(editDistance(other, one));
			}),
		);
	});

	it("is 1 after one letter is removed, and after two neighbours are swapped", () => {
		fc.assert(
			fc.property(word, fc.nat(), (text, seed) => {
				const at = seed % (text.length - 1);
				const without = text.slice(0, at) + text.slice(at + 1);
				expect(editDistance(text, without)).toBe(1);
				const [one, other] = [text[at] ?? "", text[at + 1] ?? ""];
				const swapped = text.slice(0, at) + other + one + text.slice(at + 2);
				expect(editDistance(text, swapped)).toBe(one === other ? 0 : 1);
			}),
		);
	});
});
