import { describe, expect, it } from "vitest";
import { chooseRelease } from "../../../src/operations/deploy/release.js";
import type { Found } from "../../../src/operations/deploy/survey.js";
import { parseSurvey } from "../../../src/operations/deploy/survey-script.js";
import { encodeManifest } from "../../../src/operations/releases/manifest.js";
import { failureOf, operating } from "../operating.js";

/** Which release each node starts with; null for none. Hosts have those, and `installed`. */
function foundOf(
	current: Readonly<Record<string, string | null>>,
	installed: readonly string[] = [],
): readonly Found[] {
	return Object.entries(current).map(([id, version]) => ({
		...{ host: `host-of-${id}`, nodes: [], files: new Map() },
		survey: parseSurvey(
			[
				...(version === null ? [] : [`node.current ${id} ${version}`]),
				...[...installed, ...(version === null ? [] : [version])].map(
					(one) => `release ${one}`,
				),
			].join("\n"),
			[id],
		),
	}));
}

const directory = "/opt/raftctl/test";

/** `elsewhere`: which release the nodes start with that are not deployed to. */
function choose(
	found: readonly Found[],
	release: string | null = null,
	elsewhere: Readonly<Record<string, string>> = {},
) {
	const { context, machines } = operating();
	const put = (path: string, version: string) =>
		machines.files.set(`${directory}/${path}/release.json`, {
			content: Buffer.from(
				encodeManifest({
					...{ format: 1, version, raftd: "0.1.0", app: null, runtime: null },
					machine: { name: "kv", reads: [1, 1], writes: 1 },
				}),
			),
			mode: 0o644,
		});
	for (const version of ["1.3.0", "1.4.0"]) put(`releases/${version}`, version);
	for (const [id, version] of Object.entries(elsewhere))
		put(`${id}/current`, version);
	const nodes = context.inventory.nodes.map((node) => ({
		...{ ...node, host: `host-of-${node.id}` },
	}));
	const inventory = { ...context.inventory, nodes };
	return chooseRelease({ ...context, inventory }, found, release);
}

const versionOf = async (...words: Parameters<typeof choose>) =>
	(await choose(...words))?.manifest.version ?? null;

describe("the release that nodes without one get", () => {
	it("is none where every node has one, whichever", async () => {
		expect(await versionOf(foundOf({ n1: "1.3.0", n2: "1.4.0" }))).toBeNull();
	});

	it("is what the others have", async () => {
		const found = foundOf({ n1: "1.3.0", n2: null }, ["1.3.0"]);
		expect(await versionOf(found)).toBe("1.3.0");
	});

	it("is what the others have, also where those are not deployed to", async () => {
		const elsewhere = { n1: "1.4.0", n2: "1.4.0" };
		const there = foundOf({ n3: null }, ["1.4.0"]);
		expect(await versionOf(there, null, elsewhere)).toBe("1.4.0");
		const several = { n1: "1.3.0", n2: "1.4.0" };
		const failure = await failureOf(choose(there, null, several));
		expect(failure.message).toContain("1.3.0, 1.4.0");
	});

	it("is the one that is named, where every host has it", async () => {
		const found = foundOf({ n1: "1.3.0", n2: null }, ["1.4.0"]);
		expect(await versionOf(found, "1.4.0")).toBe("1.4.0");
	});

	it("is to be named where the others have several", async () => {
		const found = foundOf({ n1: "1.3.0", n2: "1.4.0", n3: null });
		const failure = await failureOf(choose(found));
		expect(failure).toMatchObject({ kind: "refused" });
		expect(failure.message).toContain("1.3.0, 1.4.0");
		expect(failure.next).toContain("deploy --release 1.3.0");
	});

	it("has to come as an archive where a host does not have it", async () => {
		const found = foundOf({ n1: "1.4.0", n2: null });
		const failure = await failureOf(choose(found, "1.4.0"));
		expect(failure.message).toBe("the release 1.4.0 is not on host-of-n2");
		expect(failure.next).toContain("deploy --release PATH");
	});

	it("has a version, whatever is typed", async () => {
		const failure = await failureOf(choose(foundOf({ n1: null }), "1..4"));
		expect(failure.kind).toBe("usage");
	});
});
