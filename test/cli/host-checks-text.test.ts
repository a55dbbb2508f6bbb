import { describe, expect, it } from "vitest";
import { hostsText } from "../../src/cli/host-checks-text.js";
import type { HostsReport } from "../../src/operations/host-checks/check-hosts.js";

const well = {
	...{ host: "h1", nodes: ["n1", "n2"], reachable: true },
	...{ stepMs: 31, aheadMs: -4, arch: "x86_64", systemdVersion: 252 },
	...{ glibc: "2.36", nodeJs: null, availableMemoryBytes: 3.25 * 2 ** 30 },
	...{ freeBytes: 900 * 2 ** 20, syncMs: 1.26 },
};
const off = {
	...{ host: "lb", nodes: [], reachable: false, stepMs: null, aheadMs: null },
	...{ arch: null, systemdVersion: null, glibc: null, nodeJs: null },
	...{ availableMemoryBytes: null, freeBytes: null, syncMs: null },
};

function text(changes: Partial<HostsReport>): string {
	return hostsText({
		...{ cluster: "orders", hosts: [well], findings: [], healthy: true },
		...changes,
	});
}

describe("what doctor says of hosts to people", () => {
	it("is a line for each, and that they are fit", () => {
		expect(text({})).toBe(
			[
				"HOST  NODES   STEP   CLOCK  MEMORY   DISK     WRITE   SYSTEM",
				"h1    n1, n2  31 ms  right  3.3 GiB  900 MiB  1.3 ms  systemd 252, x86_64, glibc 2.36, Node.js none",
				"",
				"the hosts of orders are fit for it",
			].join("\n"),
		);
	});

	it("has each finding with its host, once, and its remedy", () => {
		const about = { severity: "problem", check: "ssh" } as const;
		const shown = text({
			hosts: [{ ...well, aheadMs: 300_100 }, off],
			findings: [
				{ ...about, host: "lb", what: "lb is off", remedy: "turn it on" },
				{ ...about, host: "h1", what: "it is slow", remedy: "wait" },
				{
					...{ severity: "note", host: null, check: "system" },
					...{ what: "who knows", remedy: "look" },
				},
			],
		});
		expect(shown.split("\n").slice(1)).toEqual([
			expect.stringContaining("  +300.1 s  "),
			"lb    -       unreachable",
			"",
			"PROBLEM  lb is off",
			"         turn it on",
			"PROBLEM  h1: it is slow",
			"         wait",
			"NOTE     who knows",
			"         look",
			"the hosts of orders are NOT fit for it: 2 problems",
		]);
	});
});
