import {
	existsSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { doctor, doctorReport } from "../../src/operations/doctor.js";
import { dump } from "../../src/operations/dump.js";

let directory: string;

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "offline-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A program in raftd's place: what it is given goes to a file, and `body` is what it does. */
function raftdThat(body: string, signal = new AbortController().signal) {
	const raftd = join(directory, "raftd.mjs");
	const given = JSON.stringify(join(directory, "given"));
	writeFileSync(
		raftd,
		`import { writeFileSync } from "node:fs";\nwriteFileSync(${given}, JSON.stringify(process.argv.slice(2)));\n${body}`,
	);
	return {
		programs: { node: process.execPath, raftd },
		dataDirectory: "/var/lib/raftd/n 1",
		signal,
	};
}

function given(): string[] {
	return JSON.parse(readFileSync(join(directory, "given"), "utf8"));
}

describe("a look at a data directory", () => {
	it("ends with raftd's exit code", async () => {
		expect(await doctor(raftdThat("process.exitCode = 10"))).toBe(10);
		expect(given()).toEqual(["doctor", "--data-dir", "/var/lib/raftd/n 1"]);
	});

	it("is an object for scripts, with the exit code beside it", async () => {
		const raftd = raftdThat(
			'console.log(JSON.stringify({ verdict: "damaged" })); process.exitCode = 11',
		);
		expect(await doctorReport(raftd)).toEqual({
			...{ report: { verdict: "damaged" }, exitCode: 11 },
		});
		expect(given().at(-1)).toBe("--json");
	});

	it("fails with what raftd failed with", async () => {
		const error = {
			...{ kind: "usage", message: "there is no /x", state: "as it was" },
			...{ next: "give another", problems: ["one"] },
		};
		const raftd = raftdThat(
			`console.log(${JSON.stringify(JSON.stringify({ error }))}); process.exitCode = 2`,
		);
		await expect(doctorReport(raftd)).rejects.toMatchObject({
			...error,
			exitCode: 2,
		});
	});

	it("says so when raftd gives no report, is ended, or is not there", async () => {
		await expect(doctorReport(raftdThat(""))).rejects.toMatchObject({
			kind: "unexpected",
			message: expect.stringContaining("no report"),
		});
		const ended = raftdThat('process.kill(process.pid, "SIGKILL")');
		await expect(doctor(ended)).rejects.toMatchObject({
			kind: "unreachable",
			message: expect.stringContaining("SIGKILL"),
		});
		const { programs, ...rest } = raftdThat("");
		const node = join(directory, "no-node");
		await expect(
			doctor({ ...rest, programs: { ...programs, node } }),
		).rejects.toMatchObject({ kind: "unreachable" });
	});

	it("ends raftd when it is interrupted", async () => {
		const controller = new AbortController();
		const raftd = raftdThat("setInterval(() => {}, 1000);", controller.signal);
		const running = doctor(raftd);
		while (!existsSync(join(directory, "given")))
			await new Promise((resolve) => setTimeout(resolve, 10));
		controller.abort(new Error("interrupted"));
		await expect(running).rejects.toThrow("interrupted");
	});
});

describe("a dump", () => {
	it("asks raftd for what is wished, and nothing else", async () => {
		const raftd = raftdThat("process.exitCode = 11");
		const wish = { from: null, to: null, snapshot: null, app: null };
		expect(await dump(raftd, { ...wish, ndjson: false })).toBe(11);
		expect(given().slice(3)).toEqual([]);
		await dump(raftd, { ...wish, from: 0, to: 7, app: "/a.js", ndjson: true });
		expect(given().slice(3)).toEqual([
			"--from",
			"0",
			"--to",
			"7",
			"--app",
			"/a.js",
			"--ndjson",
		]);
	});
});
