import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	type Candidate,
	chooseBackend,
} from "../../../src/balancers/embedded/choose-backend.js";

const candidates = fc.uniqueArray(
	fc.record({
		node: fc.constantFrom("n1", "n2", "n3", "n4", "n5"),
		admitting: fc.boolean(),
		connections: fc.nat(5),
		chosenAt: fc.nat(50),
	}),
	{ selector: ({ node }) => node },
);
const names = fc
	.subarray(["n1", "n2", "n3", "n4", "n5"])
	.map((list): ReadonlySet<string> => new Set(list));

function backend(node: string, connections: number, chosenAt = 0): Candidate {
	return { node, admitting: true, connections, chosenAt };
}
const nobody: ReadonlySet<string> = new Set();

describe("the choice of a backend", () => {
	it("never falls on one that does not admit or was tried, and never fails while there is another", () => {
		fc.assert(
			fc.property(candidates, names, names, (all, preferred, tried) => {
				const open = all.filter((one) => one.admitting && !tried.has(one.node));
				const chosen = chooseBackend(all, { preferred, tried });
				if (open.length === 0) expect(chosen).toBeNull();
				else expect(open).toContain(chosen);
			}),
		);
	});

	it("falls on a preferred one whenever one admits, and then on the one with the fewest connections", () => {
		fc.assert(
			fc.property(candidates, names, (all, preferred) => {
				const open = all.filter((one) => one.admitting);
				const first = open.filter((one) => preferred.has(one.node));
				const chosen = chooseBackend(all, { preferred, tried: nobody });
				const field = first.length > 0 ? first : open;
				if (chosen === null) return;
				expect(field).toContain(chosen);
				expect(chosen.connections).toBe(
					Math.min(...field.map((one) => one.connections)),
				);
			}),
		);
	});

	it("does not depend on anything but its arguments", () => {
		fc.assert(
			fc.property(candidates, names, names, (all, preferred, tried) => {
				const first = chooseBackend(all, { preferred, tried });
				expect(chooseBackend(all, { preferred, tried })).toBe(first);
			}),
		);
	});

	it("takes turns among equals", () => {
		const equals = [
			backend("n1", 0, 3),
			backend("n2", 0, 1),
			backend("n3", 0, 2),
		];
		expect(
			chooseBackend(equals, { preferred: nobody, tried: nobody })?.node,
		).toBe("n2");
	});

	it("falls on others while no preferred one admits", () => {
		const all = [{ ...backend("n1", 0), admitting: false }, backend("n2", 9)];
		expect(
			chooseBackend(all, { preferred: new Set(["n1"]), tried: nobody })?.node,
		).toBe("n2");
	});
});
