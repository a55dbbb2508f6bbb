import { describe, expect, it } from "vitest";
import type { NodeEntry } from "../../../src/config/inventory.js";
import { OperatorError } from "../../../src/errors.js";
import type { Seen } from "../../../src/operations/host-checks/look.js";
import {
	architectureFindings,
	clockFindings,
	hostFindings,
	unreachableFinding,
} from "../../../src/operations/host-checks/verdicts.js";

const node: NodeEntry = {
	...{ id: "n1", host: "h1", role: "voter", dataDirectory: "/data" },
	...{ peer: "10.0.0.1:7000", client: "10.0.0.1:7001" },
	...{ admin: "10.0.0.1:7002", agent: null },
};

const well: Seen = {
	...{ login: "deploy", isRoot: false, kernel: "Linux", arch: "x86_64" },
	...{ glibc: "2.36", nodeJs: null, systemdVersion: 252 },
	...{ availableMemoryBytes: 2 ** 31, freeBytes: 2 ** 34, syncMs: 1.5 },
	...{ listeners: [], denied: [], hasSudo: true, hasPerl: true },
	...{ stepMs: 30, aheadMs: 0, aheadWithinMs: 15 },
};

function found(changes: Partial<Seen>, nodes = [node]) {
	const role = { name: "h1", nodes, front: null };
	return hostFindings(
		{ role, seen: { ...well, ...changes } },
		"raftd-orders",
	).map(({ severity, check, what }) => `${severity} ${check}: ${what}`);
}

describe("what follows from what was seen on a host", () => {
	it("is nothing where all is well", () => {
		expect(found({})).toEqual([]);
	});

	it.each<[string, Partial<Seen>, RegExp]>([
		["slow steps", { stepMs: 900 }, /^warning ssh: a step takes 900 ms/],
		["an old glibc", { glibc: "2.27" }, /^problem system: its glibc is 2.27/],
		["another C library", { glibc: null }, /^problem system: .* not glibc/],
		[
			"little memory",
			{ availableMemoryBytes: 2 ** 27 },
			/^warning memory: 128 MiB of memory are free, and a node needs 256/,
		],
		["little room", { freeBytes: 2 ** 30 }, /^warning space: 1024 MiB/],
		["no room", { freeBytes: 2 ** 26 }, /^problem space: 64 MiB/],
		["a slow disk", { syncMs: 45.25 }, /^warning disk: a write takes 45.3 ms/],
		["a disk not measured", { syncMs: null }, /^note disk: .* not known/],
		["no sudo", { hasSudo: false }, /^problem sudo: it has no sudo/],
		[
			"rights that are missing",
			{ denied: ["a", "b", "c", "d", "e", "f"] },
			/^warning sudo: .* run: a; b; c; d; and 2 more$/,
		],
		["no perl", { hasPerl: false }, /^note network: it has no perl/],
		[
			"a port that is taken",
			{
				listeners: [
					{ local: "0100000A:1B58", account: "www-data", program: "" },
				],
			},
			/^problem port: another program has the peer port of n1, 10.0.0.1:7000: one of www-data$/,
		],
	])("names %s", (_, changes, sentence) => {
		expect(found(changes)).toEqual([expect.stringMatching(sentence)]);
	});

	it("takes a port that the daemon itself has for no foreign one, nor one at another address", () => {
		const account = "www-data";
		expect(
			found({
				listeners: [
					{ local: "0100000A:1B58", account: "raftd-orders", program: "" },
					{ local: "0200000A:1B58", account, program: "nginx" },
				],
			}),
		).toEqual([]);
	});

	it("asks nothing of sudo where root logs in, and nothing of disks where no node is to be", () => {
		expect(found({ isRoot: true, denied: ["a"], hasSudo: false })).toEqual([]);
		expect(found({ glibc: null, syncMs: null, freeBytes: 0 }, [])).toEqual([]);
	});

	it("has what helped with a host that could not be reached", () => {
		const error = new OperatorError("unreachable", "h1 is off", { next: "on" });
		const role = { name: "h1", nodes: [], front: null };
		expect(unreachableFinding({ role, seen: null, error })).toMatchObject({
			...{ severity: "problem", host: "h1", what: "h1 is off", remedy: "on" },
		});
	});
});

describe("clocks", () => {
	const clocks = (...aheadMs: number[]) =>
		clockFindings(
			aheadMs.map((each, at) => ({
				name: `h${at + 1}`,
				seen: { ...well, aheadMs: each },
			})),
		).map(({ severity, host, what }) => `${severity} ${host}: ${what}`);

	it("that agree are fine, also where this machine's is the one that is wrong", () => {
		expect(clocks(10, -20, 300)).toEqual([]);
		expect(clocks(60_000, 60_010, 59_900)).toEqual([]);
	});

	it("that stray are named, and those that the leader would refuse are a problem", () => {
		expect(clocks(0, 4_000, -30_000)).toEqual([
			"warning h2: its clock is 4.0 s ahead of the others'",
			"problem h3: its clock is 30.0 s behind the others'",
		]);
	});

	it("are not blamed for what may be the length of the way", () => {
		const seen = { ...well, aheadMs: 3_000, aheadWithinMs: 2_500 };
		expect(clockFindings([{ name: "h1", seen }])).toEqual([]);
	});
});

describe("architectures", () => {
	it("that differ are told with their hosts", () => {
		const on = (name: string, arch: string) => ({
			...{ name, seen: { ...well, arch } },
		});
		expect(
			architectureFindings([on("h1", "x86_64"), on("h2", "x86_64")]),
		).toEqual([]);
		const [finding] = architectureFindings([
			...[on("h1", "x86_64"), on("h2", "aarch64"), on("h3", "x86_64")],
		]);
		expect(finding?.what).toContain("x86_64 h1, h3; aarch64 h2");
	});
});
