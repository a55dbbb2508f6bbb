import { userInfo } from "node:os";
import type { Inventory } from "../../src/config/inventory.js";
import { parseInventory } from "../../src/config/load.js";
import { SshHosts } from "../../src/hosts/ssh/ssh-hosts.js";
import { blocksOf, root } from "../docs-pages.js";
import type { Lab } from "./lab.js";

/** The cluster file of docs/lab.md, for this lab, and `more` at its end. */
export function clusterOf(lab: Lab, more = ""): Inventory {
	const [file] = blocksOf("docs/lab.md").filter(({ info }) => info === "yaml");
	// The guide's is the usual lab; these may be the tests of another.
	const text = `${file?.text}${more}`
		.replaceAll("10.77.0.", lab.operator.replace(/1$/, ""))
		.replaceAll("node_modules/.cache/raftctl-lab", lab.directory);
	return parseInventory(text, { source: "lab.yaml", directory: root });
}

/** Its machines as raftctl reaches them: by its own SSH, with nothing of whoever runs the tests. */
export function hostsOf(inventory: Inventory): SshHosts {
	return new SshHosts(inventory, {
		...{ home: "/nonexistent", user: userInfo().username, agentSocket: null },
		askPassphrase: async () => null,
	});
}
