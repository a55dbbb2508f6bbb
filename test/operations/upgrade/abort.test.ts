import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import type { Run } from "../../../src/operations/operation.js";
import { encodeManifest } from "../../../src/operations/releases/manifest.js";
import { runSteps } from "../../../src/operations/steps/step.js";
import { upgradeOperation } from "../../../src/operations/upgrade/upgrade.js";
import { type Operating, operating } from "../operating.js";

const manifest = (version: string) =>
	encodeManifest({
		...{ format: 1, version, raftd: "0.1.0", app: null, runtime: null },
		machine: { name: "kv", reads: [1, 1], writes: 1 },
	});

/** A node's link is where its manifest can be read. */
function linkOf({ context }: Operating, node: string): string {
	return `${context.inventory.stateDirectory}/${node}/current`;
}

function given(world: Operating, node: string, version: string): void {
	const content = Buffer.from(manifest(version));
	const path = `${linkOf(world, node)}/release.json`;
	world.machines.files.set(path, { content, mode: 0o644 });
}

const operation = (version: string) =>
	upgradeOperation({
		...{ nodes: [], skip: [], soakMs: 0, ownRelease: "9.9.9", archive: null },
		...{ name: "upgrade", text: `upgrade --to ${version}` },
		targets: { n1: version, n2: version, n3: version },
	});

/** As its configuration on the host says it. */
function configured(world: Operating, node: string, version: string): void {
	const content = Buffer.from(`node: ${node}\nrelease: "${version}"\n`);
	world.machines.files.set(configOf(world, node), { content, mode: 0o600 });
}

function configOf({ context }: Operating, node: string): string {
	return `${context.inventory.stateDirectory}/${node}/node.yaml`;
}

/** Another raftctl began it, when all ran `former`, and was killed. The nodes say that they run 0.1.0. */
async function giveUp(
	world: Operating,
	{
		former = null,
		to = "2.0",
	}: { readonly former?: string | null; readonly to?: string } = {},
) {
	const { context, cluster } = world;
	await world.clock.sleep(5_000);
	const ids = [...cluster.nodes.keys()];
	const run = {
		...{ context, isResumed: true },
		memo: {
			releases: Object.fromEntries(ids.map((id) => [id, former])),
			processes: Object.fromEntries(
				ids.map((id) => [id, `${id}-${cluster.node(id).process}`]),
			),
		},
		lock: {
			signal: new AbortController().signal,
			fencingToken: 0n,
			requireFresh: async () => undefined,
		},
	} as unknown as Run;
	const { abortSteps, report } = operation(to);
	await runSteps(context, await abortSteps(run), run.lock.signal);
	return report(run);
}

const done = ({ events }: Operating) =>
	events.flatMap((event) =>
		event.type === "step-finished" ? [event.step] : [],
	);

describe("an upgrade that is given up", () => {
	it("gives back what it runs to a node that was given the release and not started with it", async () => {
		const world = operating();
		given(world, "n2", "2.0");
		await giveUp(world);
		expect(done(world)).toEqual(["n2/put-back"]);
		expect(world.machines.log).toContain(`rm -f ${linkOf(world, "n2")}`);
	});

	it("starts a node that was stopped with what it ran before, not with what it was given", async () => {
		const world = operating();
		given(world, "n2", "2.0");
		world.cluster.stop("n2");
		await giveUp(world);
		expect(done(world).slice(0, 2)).toEqual(["n2/put-back", "n2/start"]);
		expect(world.machines.log).toEqual([
			`rm -f ${linkOf(world, "n2")}`,
			"start n2",
		]);
	});

	it("leaves a node as it is that runs and does not answer: nobody knows what it runs", async () => {
		const world = operating();
		given(world, "n2", "2.0");
		world.cluster.stop("n2");
		world.machines.isRunning = () => true;
		await giveUp(world);
		expect(world.machines.log).toEqual([]);
	});

	it("lets a node that was being taken back, and still runs the release, start with it: it is not restarted", async () => {
		const world = operating();
		given(world, "n1", "0.1.0");
		given(world, "n2", "0.0.9");
		given(world, "n3", "0.1.0");
		await giveUp(world, { former: "0.0.9", to: "0.1.0" });
		expect(done(world).filter((step) => !step.endsWith("ready"))).toEqual([
			"n2/relink",
		]);
		const [link] = world.machines.log;
		expect(link).toContain("/releases/0.1.0");
		expect(link?.endsWith(linkOf(world, "n2"))).toBe(true);
		expect(world.machines.log).toHaveLength(1);
	});

	it("does so too where the node was silent at first", async () => {
		const world = operating();
		for (const id of ["n1", "n3"]) given(world, id, "0.1.0");
		given(world, "n2", "0.0.9");
		world.cluster.stop("n2");
		world.machines.isRunning = () => true;
		world.onEvent = (event) => {
			if (event.type === "step-started" && event.step === "n2/ready")
				world.cluster.start("n2");
		};
		await giveUp(world, { former: "0.0.9", to: "0.1.0" });
		expect(done(world).at(-1)).toBe("n2/relink");
		expect(world.machines.log.join()).toContain("/releases/0.1.0");
	});

	it("gives back link and configuration where only the link was given back so far", async () => {
		const world = operating();
		for (const id of ["n1", "n2", "n3"]) {
			given(world, id, "0.1.0");
			configured(world, id, id === "n2" ? "2.0" : "0.1.0");
		}
		await giveUp(world, { former: "0.1.0" });
		expect(done(world)).toEqual(["n2/put-back"]);
		const { content } = world.machines.files.get(configOf(world, "n2")) ?? {};
		expect(Buffer.from(content ?? []).toString()).toContain("release: 0.1.0");
	});

	it("goes on where a host is dead, and says what could not be confirmed", async () => {
		const world = operating();
		given(world, "n2", "2.0");
		world.cluster.stop("n2");
		const { host, service } = world.machines;
		const dead = async () => {
			throw new OperatorError("unreachable", "the host is off");
		};
		world.machines.host = async (name) => ({
			...(await host.call(world.machines, name)),
			read: dead,
			run: dead,
		});
		world.machines.service = async (wish) => ({
			...(await service.call(world.machines, wish)),
			...{ state: dead, start: dead },
		});
		const { unconfirmed } = await giveUp(world);
		expect(unconfirmed).toContain("n2: the host is off");
		expect(done(world)).toContain("n2/put-back");
	});
});
