import { describe, expect, it } from "vitest";
import { releaseIn } from "../../../src/operations/node-config.js";
import { nodeNamed } from "../../../src/operations/node-named.js";
import { giveRelease } from "../../../src/operations/releases/give-release.js";
import { encodeManifest } from "../../../src/operations/releases/manifest.js";
import { type Operating, operating } from "../operating.js";

const link = "/state/n1/current";
const config = "/state/n1/node.yaml";

/** Links are what a test says of them: the node starts with this release, if any. */
function linked(world: Operating, version: string | null): void {
	const path = `${link}/release.json`;
	if (version === null) world.machines.files.delete(path);
	else
		world.machines.files.set(path, {
			content: Buffer.from(
				encodeManifest({
					...{ format: 1, version, raftd: "0.1.0", app: "app/a.js" },
					...{ runtime: null },
					machine: { name: "a", reads: [1, 1], writes: 1 },
				}),
			),
			mode: 0o644,
		});
}

/** What a start would find at each moment at which whoever changes it could be killed. */
async function moments(world: Operating, version: string | null) {
	const seen: string[] = [];
	const { machines, context } = world;
	const { host } = machines;
	const look = async () => {
		const named = await releaseIn(machines.files.get(config)?.content ?? null);
		const next = machines.files.has(`${link}/release.json`) ? "one" : "none";
		seen.push(`link to ${next}, node.yaml of ${named ?? "none"}`);
	};
	machines.host = async (name) => {
		const there = await host.call(machines, name);
		return {
			...there,
			async run(argv, options) {
				const done = await there.run(argv, options);
				if (argv.includes(link)) {
					linked(world, argv[0] === "rm" ? null : version);
					await look();
				}
				return done;
			},
			async upload(path, content, mode) {
				await there.upload(path, content, mode);
				await look();
			},
		};
	};
	await giveRelease(context, nodeNamed(context, "n1"), { version });
	return seen;
}

describe("a node that is given another release", () => {
	it("never starts with raftctl's own raftd by a node.yaml that names a release", async () => {
		const world = operating();
		linked(world, "1.0");
		await giveRelease(world.context, nodeNamed(world.context, "n1"), {
			version: "1.0",
		});
		expect(await moments(world, null)).toEqual([
			"link to one, node.yaml of none",
			"link to none, node.yaml of none",
		]);
	});

	it("has its link before its node.yaml, so that the release itself says what runs", async () => {
		const world = operating();
		expect(await moments(world, "1.0")).toEqual([
			"link to one, node.yaml of none",
			"link to one, node.yaml of 1.0",
		]);
	});
});
