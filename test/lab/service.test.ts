import { afterAll, beforeAll, expect, it } from "vitest";
import { systemdService, unitOf } from "../../src/hosts/systemd-service.js";
import { clusterOf, hostsOf } from "./guide.js";
import type { Lab } from "./lab.js";
import { theLab } from "./the-lab.js";

let lab: Lab;

// With the rules of sudo as they are now.
beforeAll(async () => {
	lab = await theLab();
	await lab.replace("h1");
});
afterAll(() => lab.replace("h1"));

it("lets the account, with templates/sudoers alone, start, end and kill a daemon's unit and read what it logged", async () => {
	const inventory = clusterOf(lab);
	const unit = unitOf(inventory.name, "n1");
	await lab.exec("h1", ["tee", `/etc/systemd/system/${unit}`], {
		stdin:
			"[Service]\nExecStart=/bin/sh -c 'echo here it is; exec sleep 600'\n",
	});
	await lab.exec("h1", ["systemctl", "daemon-reload"]);
	const hosts = hostsOf(inventory);
	try {
		const host = await hosts.host("h1", null);
		const service = systemdService({ name: "n1", unit, host });
		expect(await service.state()).toMatchObject({ running: false });
		await service.start();
		expect(await service.state()).toMatchObject({ running: true });
		expect(await service.logTail(10)).toContain("here it is");
		await service.stop(20_000);
		expect(await service.state()).toMatchObject({ running: false });
		await service.start();
		await service.kill();
		expect(await service.state()).toMatchObject({ running: false });
	} finally {
		await hosts.close();
	}
});
