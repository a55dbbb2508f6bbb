import { describe, expect, it } from "vitest";
import { parseHierarchies } from "./control-group.js";
import { mirrorIn } from "./image.js";
import { labNamed } from "./names.js";
import { cutsOf, cutsWith, parseCuts } from "./network.js";

describe("where control groups are", () => {
	const unified =
		"41 31 0:30 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw";
	const named =
		"40 31 0:29 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd";
	const cpu = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu";

	it("is read from a hybrid set-up, of which systemd uses two", () => {
		expect(parseHierarchies([cpu, named, unified, ""].join("\n"))).toEqual({
			unified: "/sys/fs/cgroup/unified",
			all: ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"],
		});
	});

	it("is read from one of version 2 alone", () => {
		const alone =
			"29 22 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate";
		expect(parseHierarchies(alone)).toEqual({
			unified: "/sys/fs/cgroup",
			all: ["/sys/fs/cgroup"],
		});
	});

	it("is refused without version 2", () => {
		expect(() => parseHierarchies([cpu, named].join("\n"))).toThrow(
			/version 2/,
		);
	});
});

describe("the mirror of Debian", () => {
	it.each([
		[
			"deb http://deb.debian.org/debian bookworm main",
			"http://deb.debian.org/debian",
		],
		[
			"deb [arch=amd64 signed-by=/k] https://m.example/debian/ bookworm main",
			"https://m.example/debian",
		],
		[
			"Types: deb\nURIs: http://m.example:80/debian\nSuites: x",
			"http://m.example:80/debian",
		],
		["# deb http://deb.debian.org/debian bookworm main", null],
		["deb http://archive.ubuntu.com/ubuntu noble main", null],
		["deb http://deb.debian.org/debian-security bookworm main", null],
	])("of %j is %s", (text, mirror) => {
		expect(mirrorIn(text)).toBe(mirror);
	});
});

describe("a cut", () => {
	const others = ["a", "b", "c"];

	it("parts a port from each other one, both ways", () => {
		expect(cutsOf("a", { others, operator: false, direction: "both" })).toEqual(
			{
				pairs: [
					["a", "b"],
					["b", "a"],
					["a", "c"],
					["c", "a"],
				],
				unheard: [],
				deaf: [],
			},
		);
	});

	it("is of one direction where that is said", () => {
		expect(cutsOf("a", { others, operator: true, direction: "in" })).toEqual({
			pairs: [
				["b", "a"],
				["c", "a"],
			],
			unheard: [],
			deaf: ["a"],
		});
		expect(
			cutsOf("a", { others: [], operator: true, direction: "out" }),
		).toEqual({ pairs: [], unheard: ["a"], deaf: [] });
	});

	it("is found by either port, in what nft tells", () => {
		const cuts = parseCuts(
			JSON.stringify({
				nftables: [
					{ metainfo: {} },
					{
						set: {
							name: "pairs",
							elem: [{ concat: ["a", "b"] }, { concat: ["c", "d"] }],
						},
					},
					{ set: { name: "unheard", elem: ["b"] } },
					{ set: { name: "deaf" } },
				],
			}),
		);
		expect(cutsWith("b", cuts)).toEqual({
			pairs: [["a", "b"]],
			unheard: ["b"],
			deaf: [],
		});
		expect(cutsWith("d", cuts).pairs).toEqual([["c", "d"]]);
	});
});

describe("the name of a lab", () => {
	it("is the usual one unless another is given", () => {
		expect(labNamed(undefined)).toEqual({ name: "raftlab", subnet: "10.77.0" });
		expect(labNamed("labtest,10.78.0")).toEqual({
			name: "labtest",
			subnet: "10.78.0",
		});
	});

	// A port's name has 15 letters: vb-, the lab's name, a dash and the machine's.
	it.each(["", "labtest", "toolongname,10.78.0", "lab,10.78", "Lab,10.78.0"])(
		"is not %j",
		(text) => {
			expect(() => labNamed(text)).toThrow(/subnet/);
		},
	);
});
