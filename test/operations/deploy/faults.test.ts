import { describe, expect, it } from "vitest";
import { parseInventory } from "../../../src/config/load.js";
import {
	hostFaults,
	releaseFaults,
	unitFaults,
} from "../../../src/operations/deploy/faults.js";
import type {
	Found,
	NodeFiles,
} from "../../../src/operations/deploy/survey.js";
import type {
	HostSurvey,
	NodeSurvey,
} from "../../../src/operations/deploy/survey-script.js";

const inventory = parseInventory(
	`name: orders
id: orders-1
hosts: { h1: 10.0.0.1 }
nodes: [{ id: n1, host: h1 }]
`,
	{ source: "cluster.yaml", directory: "/desk" },
);

const bareNode: NodeSurvey = {
	...{ unit: null, runs: false, startsAtBoot: false, needsReload: false },
	...{ current: null, others: [] },
};
const noFiles: NodeFiles = {
	...{ clusterIds: [], hasConfig: false, isStale: false, joins: false },
	...{ hasData: false, dataFault: null },
};
const bareHost: HostSurvey = {
	...{ login: "deploy", isRoot: false, kernel: "Linux", arch: "x86_64" },
	...{ systemdVersion: 252, nodeJs: null, accountGroup: null },
	...{ parent: null, directory: null, state: null },
	...{ freeForReleasesBytes: 1e9, freeForStateBytes: 1e9 },
	...{ releases: [], listens: [], denied: [], units: [] },
	nodes: new Map([["n1", bareNode]]),
};

function found({
	node = {},
	files = {},
	...host
}: Partial<Omit<HostSurvey, "nodes">> & {
	readonly node?: Partial<NodeSurvey>;
	readonly files?: Partial<NodeFiles>;
} = {}): Found {
	return {
		...{ host: "h1", nodes: inventory.nodes },
		survey: {
			...{ ...bareHost, ...host },
			nodes: new Map([["n1", { ...bareNode, ...node }]]),
		},
		files: new Map([["n1", { ...noFiles, ...files }]]),
	};
}

const told = (one: Found) => hostFaults(inventory, one).map(({ what }) => what);

describe("what stands in the way of a deploy", () => {
	it("is nothing on a bare machine whose sudo allows what is needed", () => {
		expect(told(found())).toEqual([]);
	});

	it("is no right that is not needed any more", () => {
		const owned = { group: "raftd", mode: "755" };
		const host = found({
			accountGroup: "raftd",
			parent: { user: "root", ...owned },
			directory: { user: "deploy", ...owned },
			state: { user: "raftd-orders", ...owned },
			denied: [
				...["account", "parent", "directory", "state", "reload"],
				...["unit n1", "enable n1"],
			],
			node: { startsAtBoot: true },
		});
		expect(told(host)).toEqual([]);
		expect(unitFaults(inventory, host, new Map([["n1", null]]))).toEqual([]);
		expect(unitFaults(inventory, host, new Map([["n1", "text"]]))).toHaveLength(
			1,
		);
	});

	it.each([
		[{ systemdVersion: null }, "no systemd"],
		[{ systemdVersion: 241 }, "its systemd is 241"],
		[{ denied: ["sudo"] }, "no sudo"],
		[{ denied: ["account"] }, "raftd-orders is missing"],
		[{ denied: ["parent"] }, "/opt/raftctl is missing"],
		[{ denied: ["state"] }, "/var/lib/raftctl/orders is missing"],
		[
			{ denied: ["start n1"] },
			"start, stop and enable raftd-orders-n1.service",
		],
		[{ accountGroup: "users" }, "in the group users, not raftd"],
		[
			{ accountGroup: "raftd", denied: ["daemon"] },
			"does not let deploy act as raftd-orders",
		],
		[
			{ directory: { user: "bob", group: "bob", mode: "755" } },
			"/opt/raftctl/orders belongs to bob",
		],
		[
			{ state: { user: "raftd-other", group: "raftd", mode: "750" } },
			"belongs to raftd-other, not to raftd-orders",
		],
		[{ listens: ["00000000:1BC6"] }, "peer port of n1, 10.0.0.1:7110"],
		[{ listens: ["0100000A:1BC7"] }, "client port of n1, 10.0.0.1:7111"],
		[
			{ files: { clusterIds: ["orders-2", "orders-1"] } },
			"a node of another cluster, orders-2",
		],
		[
			{ node: { others: ["raftd-eu-n1.service"] } },
			"raftd-eu-n1.service uses the directories of n1, too",
		],
		[
			{
				node: {
					unit: "[Service]\nExecStart=/x --config /var/lib/raftctl/eu/n1/node.yaml\n",
				},
			},
			"runs a node of other directories",
		],
		[
			{ files: { dataFault: "/srv/n1" } },
			"/srv/n1, is missing or not writable",
		],
	])("is told for %j", (lacks, words) => {
		const faults = hostFaults(inventory, found(lacks));
		expect(faults.map(({ what }) => what).join()).toContain(words);
		for (const { host, remedy } of faults) {
			expect(host).toBe("h1");
			expect(remedy).not.toBe("");
		}
	});

	it("is no listener of the node itself, and none on another address", () => {
		const listens = ["00000000:1BC6"];
		expect(told(found({ listens, node: { runs: true } }))).toEqual([]);
		expect(told(found({ listens: ["0200000A:1BC6"] }))).toEqual([]);
	});

	it("is a release that would not run there", () => {
		const runtime = { node: "v20.19.0", platform: "linux", arch: "arm64" };
		const faultsOf = (one: Found, inside: typeof runtime | null, bytes = 1) =>
			releaseFaults(one, { version: "1.4.0", runtime: inside }, bytes).map(
				({ what }) => what,
			);
		expect(faultsOf(found(), runtime)).toEqual([
			expect.stringContaining("linux on arm64, and the host is linux on x64"),
		]);
		expect(faultsOf(found({ arch: "aarch64" }), runtime)).toEqual([]);
		expect(faultsOf(found(), null)).toEqual([
			expect.stringContaining("has no Node.js inside, and the host has none"),
		]);
		expect(faultsOf(found({ nodeJs: "v18.20.1" }), null)).toHaveLength(1);
		expect(faultsOf(found({ nodeJs: "v22.1.0" }), null)).toEqual([]);
		const here = { ...runtime, arch: "x64" };
		expect(faultsOf(found(), here, 1e9)).toEqual([
			expect.stringContaining("are free"),
		]);
		// What is there needs no room.
		expect(faultsOf(found({ releases: ["1.4.0"] }), runtime, 1e9)).toEqual([]);
	});
});
