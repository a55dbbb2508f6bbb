import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lifeOf, makeDirectory } from "../daemon/doctor/ground.js";
import { raftctl } from "./raftctl.js";

let directory: string;
let data: string;

beforeAll(async () => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-offline-"));
	data = join(directory, "data");
	mkdirSync(data);
	await makeDirectory(data, { entries: lifeOf(3000), snapshots: [2000] });
});

afterAll(() => rmSync(directory, { recursive: true }));

describe("raftctl doctor", () => {
	it("shows people what raftd says, and scripts the same as an object", async () => {
		const words = ["doctor", "--data-dir", data];
		const people = await raftctl(words, { directory });
		expect(people.stdout).toContain(`${data}: healthy\n`);
		expect({ ...people, stdout: "" }).toEqual({
			...{ code: 0, stdout: "", stderr: "" },
		});
		const script = await raftctl([...words, "--json"], { directory });
		expect(JSON.parse(script.stdout)).toMatchObject({
			...{ version: 1, verdict: "healthy", wal: { lastIndex: 3000 } },
		});
		expect(script.code).toBe(0);
	});

	it("says which directories there may be when none is given", async () => {
		const without = await raftctl(["doctor"], { directory });
		expect(without.stderr).toContain("doctor --data-dir <directory>");
		expect(without.code).toBe(2);
		const home = mkdtempSync(join(directory, "home-"));
		writeFileSync(
			join(home, "cluster.yaml"),
			"name: demo\nid: demo-1\nnodes: [n1, n2, n3]\n",
		);
		const { stderr, code } = await raftctl(["doctor"], { directory: home });
		expect(stderr).toMatch(/that of n3 is \S+n3/);
		expect(stderr).toMatch(/Next: raftctl doctor --data-dir \S+n1/);
		expect(code).toBe(2);
	});

	it.each([[[]], [["--json"]]])(
		"ends with 2 for a directory that is none, with %j",
		async (flags) => {
			const words = ["doctor", "--data-dir", join(directory, "no"), ...flags];
			const { code, stdout, stderr } = await raftctl(words, { directory });
			expect(stdout + stderr).toContain("there is no");
			expect(stdout === "" ? flags : "").toEqual(stderr === "" ? "" : []);
			expect(code).toBe(2);
		},
	);
});

describe("raftctl dump", () => {
	it("shows entries and a snapshot", async () => {
		const words = ["dump", "--data-dir", data];
		const one = await raftctl([...words, "--from", "5", "--to", "5"], {
			directory,
		});
		expect(one.stdout).toContain('"key":"colour"');
		const snapshot = await raftctl(
			[...words, "--snapshot", "2000", "-o", "ndjson"],
			{ directory },
		);
		const types = snapshot.stdout
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line).type);
		expect(types[0]).toBe("snapshot");
		expect(types.at(-1)).toBe("machine");
	});

	it("ends in peace when nobody reads any more", async () => {
		const { code, stderr } = await raftctl(["dump", "--data-dir", data], {
			directory,
			during: ({ stdout }) => stdout?.once("data", () => stdout.destroy()),
		});
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	});

	it("is no single document", async () => {
		const { code, stdout } = await raftctl(
			["dump", "--data-dir", data, "--json"],
			{ directory },
		);
		expect(JSON.parse(stdout).error.next).toContain("ndjson");
		expect(code).toBe(2);
	});
});
