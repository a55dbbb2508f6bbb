import { afterAll, beforeAll, expect, it } from "vitest";
import type { Front } from "../../src/balancers/front.js";
import { haproxyFront } from "../../src/balancers/haproxy/front.js";
import { nginxFront } from "../../src/balancers/nginx/front.js";
import type { Inventory } from "../../src/config/inventory.js";
import type { Host } from "../../src/hosts/host.js";
import { clusterOf, hostsOf } from "./guide.js";
import type { Lab } from "./lab.js";
import { theLab } from "./the-lab.js";

let lab: Lab;

// With the rules of sudo as they are now.
beforeAll(async () => {
	lab = await theLab();
	await lab.replace("lb");
});
afterAll(() => lab.replace("lb"));

type OpenHost = (name: string) => Promise<Host>;

function frontOf({ balancer }: Inventory, openHost: OpenHost): Front {
	if (balancer?.kind === "haproxy") return haproxyFront(balancer, openHost);
	if (balancer?.kind === "nginx") return nginxFront(balancer, openHost);
	throw new Error(`${balancer?.kind} has no file`);
}

it.each(["haproxy", "nginx"])(
	"lets the account, with templates/sudoers alone, set up %s on the balancer's machine",
	async (kind) => {
		await lab.exec("lb", ["systemctl", "start", kind]);
		const inventory = clusterOf(
			lab,
			`balancer: { kind: ${kind}, host: lb, listen: "*:8080" }\n`,
		);
		const hosts = hostsOf(inventory);
		const openHost = (name: string) => hosts.host(name, null);
		const { signal } = new AbortController();
		try {
			const front = frontOf(inventory, openHost);
			const host = await openHost("lb");
			expect(await front.write(host, inventory, signal)).not.toBeNull();
			await front.reload("lb", signal);
			expect(await front.check(host, inventory)).toEqual({
				written: true,
				faults: [],
			});
			expect(await front.behind("lb", inventory, signal)).toBeNull();
			expect(await front.write(host, inventory, signal)).toBeNull();
		} finally {
			await hosts.close();
			await lab.exec("lb", ["systemctl", "stop", kind]);
		}
	},
);
