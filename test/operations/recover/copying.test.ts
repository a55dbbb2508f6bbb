import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { localHost } from "../../../src/hosts/local.js";
import type { Attempt } from "../../../src/operations/journal/record.js";
import type { Run } from "../../../src/operations/operation.js";
import { leftElsewhere } from "../../../src/operations/recover/copies.js";
import { exportSteps } from "../../../src/operations/recover/export-steps.js";
import type { NewCluster } from "../../../src/operations/recover/new-cluster.js";
import type { Birth } from "../../../src/operations/recover/new-cluster-steps.js";
import type { Step } from "../../../src/operations/steps/step.js";
import { FakeFiles } from "../../fakes/fake-files.js";
import { inventoryOf, operating } from "../operating.js";

const state = "/var/lib/raftctl/test/restored";
const file = `${state}/new-1.snapshot`;
const cluster: NewCluster = {
	...{ clusterId: "new-1", oldClusterId: "c1", suffix: ".before" },
	...{ chosen: ["n1", "n2", "n3"], touched: ["n1", "n2", "n3"] },
};

const { signal } = new AbortController();
let desk: string;
let hosts: Record<string, FakeFiles>;
beforeEach(() => {
	desk = mkdtempSync(join(tmpdir(), "raftctl-desk-"));
	hosts = { h1: new FakeFiles(), h2: new FakeFiles(), h3: new FakeFiles() };
});
afterEach(() => rmSync(desk, { recursive: true, force: true }));

/** Three nodes, each on a host of its own; the operator's machine is none of them. */
function operation() {
	const { context: near } = operating();
	const roles = { n1: "voter", n2: "voter", n3: "voter" } as const;
	const inventory = inventoryOf(roles);
	const nodes = inventory.nodes.map((node) => ({
		...node,
		host: node.id.replace("n", "h"),
	}));
	const context = {
		...near,
		inventory: { ...inventory, nodes, stateDirectory: desk },
		machines: {
			...near.machines,
			host: async (name: string) => {
				const files = hosts[name];
				return files === undefined ? localHost() : files.host(name);
			},
		},
	};
	return { context };
}

function copySteps() {
	const birth = { run: operation(), cluster } as unknown as Birth;
	return exportSteps(birth, "n2").filter(
		({ id }) => id.endsWith("/copy") || id === "cluster/tidy",
	);
}

async function runAll(steps: readonly Step[]): Promise<void> {
	for (const step of steps) {
		if ((await step.isDone?.()) !== null) continue;
		await step.run(signal, () => undefined);
	}
}

const here = () => {
	const directory = join(desk, "restored");
	return existsSync(directory) ? readdirSync(directory) : [];
};
describe("the state that a new cluster is made of", () => {
	it("goes from the host that has it to every other, and leaves nothing on the operator's machine", async () => {
		hosts.h2?.files.set(file, "all that n2 has");
		await runAll(copySteps());
		for (const each of Object.values(hosts))
			expect([...each.files]).toEqual([[file, "all that n2 has"]]);
		expect(here()).toEqual([]);
	});

	it("is removed there by whoever goes on, too, where all hosts had it when the operator was killed", async () => {
		hosts.h2?.files.set(file, "all that n2 has");
		await runAll(copySteps().filter(({ id }) => id.endsWith("/copy")));
		expect(here()).toEqual(["new-1.snapshot"]);
		await runAll(copySteps());
		expect(here()).toEqual([]);
	});

	it("may be left on the machine of an operator who was killed, which whoever goes on elsewhere is told", () => {
		const { context } = operation();
		const attempt = { atMs: 0, release: "0.1.0", holder: "ann@lap:1" };
		const attempts: readonly Attempt[] = [
			{ ...attempt, as: "begin", host: "lap", stateDirectory: "/home/ann/s" },
			{ ...attempt, as: "resume", host: "desk", stateDirectory: desk },
		];
		const run = { context, attempts } as unknown as Run;
		expect(leftElsewhere(run, cluster)).toEqual([
			"a copy of the state may be left as lap:/home/ann/s/restored/new-1.snapshot: an earlier attempt ran there. Remove it",
		]);
		const own = attempts.slice(1);
		expect(leftElsewhere({ ...run, attempts: own }, cluster)).toEqual([]);
	});

	it("lies on the operator's machine until the last of them has it", async () => {
		hosts.h2?.files.set(file, "all that n2 has");
		const [first] = copySteps();
		await first?.run(signal, () => undefined);
		expect(here()).toEqual(["new-1.snapshot"]);
	});
});
