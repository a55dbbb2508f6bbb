import type { Balancer } from "../balancers/balancer.js";
import type { Inventory } from "../config/inventory.js";
import type { Machines } from "./context.js";

/** The balancer of the cluster file; null where it names none. Loads no other kind: commands are to start at once. */
export async function openBalancer(
	inventory: Inventory,
	machines: Machines,
): Promise<Balancer | null> {
	const { balancer, name } = inventory;
	const place = {
		cluster: name,
		openHost: (host: string) => machines.host(host, "login"),
	};
	switch (balancer?.kind) {
		case undefined:
			return null;
		case "embedded": {
			const { embeddedBalancer } = await import(
				"../balancers/embedded/balancer.js"
			);
			return embeddedBalancer(balancer);
		}
		case "haproxy": {
			const { haproxyBalancer } = await import(
				"../balancers/haproxy/balancer.js"
			);
			return haproxyBalancer(balancer, place);
		}
		case "nginx": {
			const { nginxBalancer } = await import("../balancers/nginx/balancer.js");
			return nginxBalancer(balancer, { ...place, inventory });
		}
		case "command": {
			const { commandBalancer } = await import(
				"../balancers/command/balancer.js"
			);
			return commandBalancer(balancer, {
				inventory,
				local: () => machines.host("local"),
			});
		}
	}
}
