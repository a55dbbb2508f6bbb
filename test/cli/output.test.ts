import { describe, expect, it } from "vitest";
import { wantsColour } from "../../src/cli/colours.js";
import { presentationOf, serialise } from "../../src/cli/output.js";

describe("the output that raw arguments ask for", () => {
	it.each([
		[["up"], "table"],
		[["up", "--json"], "json"],
		[["up", "-o", "yaml"], "yaml"],
		[["up", "-ondjson"], "ndjson"],
		[["up", "--output", "json"], "json"],
		[["up", "--output=ndjson"], "ndjson"],
		[["up", "--output=xml"], "table"],
		[["up", "-o"], "table"],
		[["kv", "put", "--", "--json", "-ojson"], "table"],
	])("of %j is %s", (argv, output) => {
		expect(presentationOf(argv).output).toBe(output);
	});
});

describe("a serialised result", () => {
	it("is one line as NDJSON, whatever is in it", async () => {
		const text = await serialise({ a: "x\ny", b: [1, { c: null }] }, "ndjson");
		expect(text.split("\n")).toHaveLength(2);
		expect(JSON.parse(text)).toEqual({ a: "x\ny", b: [1, { c: null }] });
	});
});

describe("colour", () => {
	it.each([
		["a terminal", true, {}, true],
		["a pipe", false, {}, false],
		["a dumb terminal", true, { TERM: "dumb" }, false],
		["a terminal and NO_COLOR", true, { NO_COLOR: "1" }, false],
		["a terminal and an empty NO_COLOR", true, { NO_COLOR: "" }, true],
		["a pipe and FORCE_COLOR", false, { FORCE_COLOR: "1" }, true],
		["a terminal and FORCE_COLOR=0", true, { FORCE_COLOR: "0" }, false],
		[
			"NO_COLOR and FORCE_COLOR",
			true,
			{ NO_COLOR: "1", FORCE_COLOR: "1" },
			false,
		],
	])("for %s (%s, %j) is %s", (_, isTTY, environment, wanted) => {
		expect(wantsColour({ isTTY }, environment)).toBe(wanted);
	});
});
