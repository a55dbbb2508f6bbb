import { describe, expect, it } from "vitest";
import { decodeMarker } from "../../src/storage/marker.js";

const first = { ordinal: 3, id: "0123456789abcdef0123456789abcdef" };

function decoded(changed: object) {
	const said = { format: 1, cluster: "c1", node: "n1", first, ...changed };
	return decodeMarker(Buffer.from(JSON.stringify(said)));
}

describe("the marker of a log", () => {
	it("says whose log it is, and where it begins", () => {
		expect(decoded({})).toEqual({ cluster: "c1", node: "n1", first });
		expect(decoded({ first: null })).toMatchObject({ first: null });
	});

	it.each([-1, 0.5, 2 ** 53, "3", null])(
		"does not name a first segment of ordinal %s",
		(ordinal) => {
			expect(decoded({ first: { ...first, ordinal } })).toBe(
				"log.json names no first segment",
			);
		},
	);
});
