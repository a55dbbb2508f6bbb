import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Inventory } from "../../src/config/inventory.js";
import { renderNodeConfig } from "../../src/operations/node-config.js";
import { writeNodeConfig } from "../../src/operations/node-service.js";
import { inventoryOf, operating } from "./operating.js";

const roles = { n1: "voter", n2: "voter", n4: "voter" } as const;
const inventory = inventoryOf(roles);

function nodeOf(id: string) {
	const node = inventory.nodes.find((one) => one.id === id);
	if (node === undefined) throw new Error(`no node ${id}`);
	return node;
}

function member(id: string, role: "voter" | "learner" | "outgoing" = "voter") {
	return {
		...{ id, role, peer: `${id}:1`, client: `${id}:2`, admin: `${id}:3` },
	};
}

describe("the configuration of a node that is to be added", () => {
	it("has the members as the cluster has them, and itself as a learner that founds nothing", async () => {
		const present = [member("n1"), member("n7", "outgoing"), member("n8")];
		const text = await renderNodeConfig(inventory, nodeOf("n4"), {
			join: present,
		});
		expect(parse(text)).toMatchObject({
			join: true,
			node: "n4",
			members: [
				member("n1"),
				member("n7"),
				member("n8"),
				member("n4", "learner"),
			],
		});
	});

	it("names nobody twice: not itself, once it is a member, nor one whose address it takes over", async () => {
		const dead = { ...member("n3"), client: "n4:2" };
		const present = [member("n1"), dead, member("n4")];
		const text = await renderNodeConfig(inventory, nodeOf("n4"), {
			join: present,
		});
		expect(parse(text).members).toEqual([
			member("n1"),
			member("n4", "learner"),
		]);
	});

	it("is one that raftd takes, where it is the only voter", async () => {
		const lone = inventoryOf({ n1: "voter", n2: "learner" });
		const [node] = lone.nodes;
		if (node === undefined) throw new Error("there is one");
		const text = await renderNodeConfig(lone, node, { join: lone.nodes });
		const { join, members } = parse(text);
		expect(join).toBe(true);
		expect(members).toEqual([member("n2", "learner"), member("n1")]);
	});

	it("stays one that joins however often it is written (P31), unless the whole cluster is founded", async () => {
		const { context, machines } = operating(roles);
		const written = () =>
			parse(
				Buffer.from(
					machines.files.get("/state/n4/node.yaml")?.content ?? [],
				).toString(),
			);
		await writeNodeConfig(context, nodeOf("n4"), { join: [member("n1")] });
		await writeNodeConfig(context, nodeOf("n4"));
		expect(written().join).toBe(true);
		expect(written().members).toHaveLength(3);
		await writeNodeConfig(context, nodeOf("n4"), { founds: true });
		expect(written().join).toBeUndefined();
	});

	it("is no other for a node that runs when only the list of founders is", async () => {
		const { context } = operating(roles);
		expect(await writeNodeConfig(context, nodeOf("n1"))).toBe(true);
		const more = {
			...context,
			inventory: inventoryOf({ ...roles, n5: "voter" }),
		};
		expect(await writeNodeConfig(more, nodeOf("n1"))).toBe(false);
		const slower = {
			...more.inventory,
			timing: { ...more.inventory.timing, electionTimeoutMs: 5_000 },
		};
		expect(
			await writeNodeConfig({ ...more, inventory: slower }, nodeOf("n1")),
		).toBe(true);
	});
});

describe("what a node shows to S3", () => {
	const access = {
		accessKeyId: "raft",
		secretAccessKeyFile: "/etc/secret",
	} as const;
	const target = {
		...{ endpoint: "https://s3.test", bucket: "b" },
		...{ prefix: "", region: "us-east-1" },
	};
	const rendered = async (s3: Inventory["s3"]) =>
		parse(await renderNodeConfig({ ...inventory, s3 }, nodeOf("n1"))).s3;

	it("is what the cluster file says; where copies go is in the log", async () => {
		const caFile = "/etc/ca.pem";
		expect(await rendered({ target, access, caFile })).toEqual({
			...{ ...access, caFile },
		});
		expect(await rendered({ target, access, caFile: null })).toEqual(access);
		expect(await rendered({ target: null, access: null, caFile })).toEqual({
			caFile,
		});
	});

	it("is nothing where the environment has it", async () => {
		expect(await rendered(null)).toBeUndefined();
		expect(
			await rendered({ target, access: null, caFile: null }),
		).toBeUndefined();
	});
});

describe("a node's limits and log", () => {
	const rendered = async (wish: Partial<Pick<Inventory, "limits" | "log">>) => {
		const text = await renderNodeConfig(
			{ ...inventory, ...wish },
			nodeOf("n1"),
		);
		const { limits, log } = parse(text);
		return { limits, log };
	};

	it("are what the cluster file says", async () => {
		const limits = { snapshotEntries: 1000 };
		expect(await rendered({ limits, log: { level: "debug" } })).toEqual({
			...{ limits, log: { level: "debug" } },
		});
	});

	it("are not mentioned where the file has nothing else than raftd itself", async () => {
		expect(await rendered({})).toEqual({ limits: undefined, log: undefined });
	});
});
