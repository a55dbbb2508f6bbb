import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { localHost } from "../../../src/hosts/local.js";
import { pruneReleases } from "../../../src/operations/releases/prune.js";
import { operating } from "../operating.js";

let directory: string;
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-prune-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Releases in the order in which they came; those that nodes start with. */
function pruned(
	versions: readonly string[],
	current: Readonly<Record<string, string>>,
) {
	for (const [at, version] of versions.entries()) {
		const path = join(directory, "releases", version);
		mkdirSync(path, { recursive: true });
		writeFileSync(join(path, "release.json"), "{}");
		utimesSync(path, at, at);
	}
	for (const [node, version] of Object.entries(current)) {
		mkdirSync(join(directory, node), { recursive: true });
		symlinkSync(
			join(directory, "releases", version),
			join(directory, node, "current"),
		);
	}
	const { context } = operating();
	return pruneReleases(
		{
			...context,
			inventory: { ...context.inventory, stateDirectory: directory },
			machines: { ...context.machines, host: async () => localHost() },
		},
		"local",
	);
}

const isThere = (version: string) =>
	existsSync(join(directory, "releases", version));

it("removes the oldest releases, and none that a node starts with", async () => {
	const versions = ["1.0", "1.1", "1.2", "1.3", "1.4"];
	const nodes = { n1: "1.4", n2: "1.0", gone: "1.4" };
	expect(await pruned(versions, nodes)).toEqual(["1.1"]);
	expect(versions.filter(isThere)).toEqual(["1.0", "1.2", "1.3", "1.4"]);
});

it("removes nothing while there are as many as are to stay", async () => {
	expect(await pruned(["2.0", "2.1", "2.2"], {})).toEqual([]);
	expect(["2.0", "2.1", "2.2"].every(isThere)).toBe(true);
});

it("keeps what a node starts with that is not in the cluster file any more", async () => {
	const versions = ["1.0", "1.1", "1.2", "1.3"];
	expect(await pruned(versions, { n9: "1.0" })).toEqual([]);
	expect(isThere("1.0")).toBe(true);
});
