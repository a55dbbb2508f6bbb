import type { Balancer } from "../balancers/balancer.js";
import { commandBalancer } from "../balancers/command/balancer.js";
import { embeddedBalancer } from "../balancers/embedded/balancer.js";
import { haproxyBalancer } from "../balancers/haproxy/balancer.js";
import { nginxBalancer } from "../balancers/nginx/balancer.js";
import type { Inventory } from "../config/inventory.js";
import type { Machines } from "./context.js";

/** The balancer of the cluster file; null where it names none. */
export function openBalancer(
	inventory: Inventory,
	machines: Machines,
): Balancer | null {
	const { balancer, name } = inventory;
	const place = {
		cluster: name,
		openHost: (host: string) => machines.host(host, "login"),
	};
	switch (balancer?.kind) {
		case undefined:
			return null;
		case "embedded":
			return embeddedBalancer(balancer);
		case "haproxy":
			return haproxyBalancer(balancer, place);
		case "nginx":
			return nginxBalancer(balancer, { ...place, inventory });
		case "command":
			return commandBalancer(balancer, {
				inventory,
				local: () => machines.host("local"),
			});
	}
}
