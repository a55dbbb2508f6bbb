import type { NginxBalancerEntry } from "../../config/inventory.js";
import type { Host } from "../../hosts/host.js";
import type { Front } from "../front.js";
import { faultOn, reloadNginx, running, writePlain } from "./installed.js";
import { noSteering, renderFile, steeringIn } from "./render.js";

/** nginx's configuration on its hosts. */
export function nginxFront(
	entry: NginxBalancerEntry,
	openHost: (name: string) => Promise<Host>,
): Front {
	const plain = (inventory: Parameters<typeof renderFile>[0]) =>
		renderFile(inventory, entry, noSteering);
	return {
		kind: "nginx",
		path: entry.config,
		render: plain,
		async check(host, inventory) {
			const found = await host.read(entry.config);
			const text = found === null ? "" : Buffer.from(found).toString("utf8");
			const steering = steeringIn(text) ?? noSteering;
			const fault = await faultOn(host, entry);
			const processes = await running(host, entry);
			return {
				// What an operator steers just now is no difference.
				written: text === renderFile(inventory, entry, steering),
				faults: [
					...(fault === null ? [] : [`nginx refuses its files: ${fault}`]),
					...(processes === null
						? [`nginx does not run: ${entry.pid} names no process`]
						: []),
				],
			};
		},
		write: (host, inventory, signal) =>
			writePlain(host, entry, { inventory, signal }),
		async reload(host, signal) {
			await reloadNginx(await openHost(host), entry, signal);
		},
		// It has no way to say what it runs with.
		behind: async () => null,
	};
}
