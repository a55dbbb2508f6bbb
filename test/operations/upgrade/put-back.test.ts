import { describe, expect, it } from "vitest";
import type { Run } from "../../../src/operations/operation.js";
import { encodeManifest } from "../../../src/operations/releases/manifest.js";
import { putBackSteps } from "../../../src/operations/upgrade/put-back.js";
import { type Operating, operating } from "../operating.js";

const manifest = (version: string) =>
	encodeManifest({
		...{ format: 1, version, raftd: "0.1.0", app: null, runtime: null },
		machine: { name: "kv", reads: [1, 1], writes: 1 },
	});

/** A node's link is where its manifest can be read. */
function linkOf({ context }: Operating, node: string): string {
	return `${context.inventory.stateDirectory}/${node}/current/release.json`;
}

function given(world: Operating, node: string, version: string): void {
	const content = Buffer.from(manifest(version));
	world.machines.files.set(linkOf(world, node), { content, mode: 0o644 });
}

const targets = { n1: "2.0", n2: "2.0", n3: "2.0" };

async function steps(world: Operating, releases: object) {
	await world.clock.sleep(5_000);
	const run = {
		...{ context: world.context, isResumed: true, memo: { releases } },
		lock: { signal: new AbortController().signal },
	} as unknown as Run;
	return putBackSteps(run, targets, "0.1.0");
}

describe("an upgrade that is given up", () => {
	it("gives back what it runs to a node that was given the release and not started with it", async () => {
		const world = operating();
		given(world, "n2", "2.0");
		const found = await steps(world, { n1: null, n2: null, n3: null });
		expect(found.map(({ id }) => id)).toEqual([
			"n1/put-back",
			"n2/put-back",
			"n3/put-back",
		]);
		expect(await found[0]?.isDone?.()).toBe("it does");
		expect(await found[1]?.isDone?.()).toBeNull();
		const progress = () => undefined;
		await found[1]?.run(new AbortController().signal, progress);
		const link = linkOf(world, "n2").replace("/release.json", "");
		expect(world.machines.log).toContain(`rm -f ${link}`);
	});
});
