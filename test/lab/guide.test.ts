import { userInfo } from "node:os";
import { expect, it } from "vitest";
import { parseInventory } from "../../src/config/load.js";
import { SshHosts } from "../../src/hosts/ssh/ssh-hosts.js";
import { blocksOf, root } from "../docs-pages.js";
import { theLab } from "./the-lab.js";

it("has in its guide a cluster file by which raftctl reaches the machines", async () => {
	const lab = await theLab();
	const [file] = blocksOf("docs/lab.md").filter(({ info }) => info === "yaml");
	// The guide's is the usual lab; these may be the tests of another.
	const text = (file?.text ?? "")
		.replaceAll("10.77.0.", lab.operator.replace(/1$/, ""))
		.replaceAll("node_modules/.cache/raftctl-lab", lab.directory);
	const inventory = parseInventory(text, {
		source: "lab.yaml",
		directory: root,
	});
	const hosts = new SshHosts(inventory, {
		...{ home: "/nonexistent", user: userInfo().username, agentSocket: null },
		askPassphrase: async () => null,
	});
	try {
		const reached = inventory.nodes.map(async (node) => {
			const host = await hosts.host(node.host, null);
			const { stdout } = await host.run(["hostname"], { timeoutMs: 20_000 });
			return [node.id, stdout.trim(), node.peer.split(":")[0]];
		});
		expect(await Promise.all(reached)).toEqual([
			["n1", "h1", lab.address("h1")],
			["n2", "h2", lab.address("h2")],
			["n3", "h3", lab.address("h3")],
		]);
	} finally {
		await hosts.close();
	}
});
