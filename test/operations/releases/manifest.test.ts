import { describe, expect, it } from "vitest";
import type { OperatorError } from "../../../src/errors.js";
import {
	encodeManifest,
	parseManifest,
	type ReleaseManifest,
	versionFault,
} from "../../../src/operations/releases/manifest.js";

const manifest: ReleaseManifest = {
	...{ format: 1, version: "1.4.0", raftd: "0.1.0" },
	machine: { name: "bank", reads: [1, 2], writes: 2 },
	app: "app/bank.js",
	runtime: { node: "v20.20.2", platform: "linux", arch: "x64" },
};

function faults(json: unknown): readonly string[] {
	const text = typeof json === "string" ? json : JSON.stringify(json);
	try {
		parseManifest(text, "release.json");
	} catch (error) {
		expect(error).toMatchObject({ kind: "refused" });
		return (error as OperatorError).problems ?? [];
	}
	return [];
}

describe("a release's manifest", () => {
	it("comes back from its text", () => {
		expect(parseManifest(encodeManifest(manifest), "release.json")).toEqual(
			manifest,
		);
	});

	it.each([
		["no JSON", "{", /no JSON/],
		["a list", [], /no JSON object/],
		["no version", { ...manifest, version: undefined }, /"version"/],
		["a version that is a path", { ...manifest, version: "../x" }, /version/],
		[
			"a level that it writes and does not read",
			{ ...manifest, machine: { name: "m", reads: [1, 1], writes: 2 } },
			/does not read/,
		],
		["a module outside", { ...manifest, app: "../app.js" }, /"app"/],
		["an absolute module", { ...manifest, app: "/app.js" }, /"app"/],
		["half a runtime", { ...manifest, runtime: { node: "v20" } }, /"runtime"/],
		["no format", { ...manifest, format: undefined }, /"format"/],
	])("is refused with %s, which is named", (_, json, words) => {
		const found = faults(json);
		expect(found).toHaveLength(1);
		expect(found[0]).toMatch(words);
	});

	it("of a later format is refused with the way out, and nothing else is said of it", () => {
		expect(faults({ format: 2, machine: "other" })).toEqual([
			expect.stringContaining("use the raftctl that built it"),
		]);
	});

	it.each(["1.4.0", "2026-11-21.3", "v1_2+build.7", "a"])(
		"may have the version %s",
		(version) => expect(versionFault(version)).toBeNull(),
	);

	it.each(["", "-rf", ".hidden", "a/b", "a b", "1..2", "x".repeat(64), "1\n"])(
		"may not have the version %j",
		(version) => expect(versionFault(version)).toMatch(/version|dots/),
	);
});
