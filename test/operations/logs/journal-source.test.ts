import { describe, expect, it } from "vitest";
import type { Host, RunResult } from "../../../src/hosts/host.js";
import { journalSource } from "../../../src/operations/logs/journal-source.js";
import { pageBytes } from "../../../src/operations/logs/source.js";
import { FakeClock } from "../../fakes/fake-clock.js";

const { signal } = new AbortController();
const baseUs = 1_700_000_000_000_000;

function entry(number: number, message: unknown = `line ${number}`): string {
	return `${JSON.stringify({
		__CURSOR: `c${number}`,
		__REALTIME_TIMESTAMP: String(baseUs + number),
		MESSAGE: message,
	})}\n`;
}

/** A host that answers what it is told to, and remembers what journalctl was asked. */
function host(...answers: (Partial<RunResult> | Error)[]) {
	const asked: (readonly string[])[] = [];
	const fake: Host = {
		name: "h1",
		async run(argv) {
			asked.push(argv.slice(argv.indexOf("--output-fields=MESSAGE") + 1));
			const answer = answers.shift() ?? {};
			if (answer instanceof Error) throw answer;
			return { exitCode: 0, stdout: "", stderr: "", ...answer };
		},
		upload: () => Promise.reject(new Error("nothing is written")),
		send: () => Promise.reject(new Error("nothing is sent")),
		fetch: async () => null,
		read: async () => null,
		close: async () => {},
	};
	return { asked, fake };
}

function open(
	fake: Host,
	wish: { lines: number; sinceMs: number | null } = { lines: 9, sinceMs: null },
	clock = new FakeClock(),
) {
	const unit = "raftd-orders-n1.service";
	return journalSource({
		...{ node: "n1", unit, wish, clock, host: async () => fake },
	});
}

describe("the log of a node in the journal of its host", () => {
	it("begins with the newest lines and goes on behind the last one", async () => {
		const { asked, fake } = host(
			{ stdout: entry(1) + entry(2) },
			{ stdout: "-- No entries --\n" },
			{ stdout: entry(3) },
		);
		const log = open(fake);
		const pages = [
			await log.read(signal),
			await log.read(signal),
			await log.read(signal),
		];
		expect(
			pages.map(({ lines }) => lines.map(({ message }) => message)),
		).toEqual([["line 1", "line 2"], [], ["line 3"]]);
		expect(pages[0]?.lines[0]?.atMs).toBe(baseUs / 1000);
		expect(asked).toEqual([
			["--lines=9"],
			["--after-cursor=c2"],
			["--after-cursor=c2"],
		]);
	});

	it("since a moment is asked for by the clock of the host, and of the same moment until something is found", async () => {
		const { asked, fake } = host({}, { stdout: entry(1) }, {});
		const clock = new FakeClock();
		const log = open(fake, { lines: 10_000, sinceMs: 60_000 }, clock);
		await log.read(signal);
		await clock.sleep(5_000);
		await log.read(signal);
		await log.read(signal);
		expect(asked).toEqual([
			["--since=-60s", "--lines=10000"],
			["--since=-65s", "--lines=10000"],
			["--after-cursor=c1"],
		]);
	});

	it("shows nothing of before when no lines are wanted, and knows where to go on", async () => {
		const { asked, fake } = host({ stdout: entry(7) }, { stdout: entry(8) });
		const log = open(fake, { lines: 0, sinceMs: null });
		expect((await log.read(signal)).lines).toEqual([]);
		expect((await log.read(signal)).lines).toHaveLength(1);
		expect(asked[1]).toEqual(["--after-cursor=c7"]);
	});

	it("comes in pages, of which the last line of one that is cut is read again", async () => {
		const room = pageBytes - 20 - entry(1, "").length;
		const stdout = (entry(1, "x".repeat(room)) + entry(2)).slice(0, pageBytes);
		const { asked, fake } = host({ stdout }, { stdout: entry(2) });
		const log = open(fake);
		const first = await log.read(signal);
		const second = await log.read(signal);
		expect([first.more, second.more]).toEqual([true, false]);
		expect(second.lines.map(({ message }) => message)).toEqual(["line 2"]);
		expect(asked[1]).toEqual(["--after-cursor=c1"]);
	});

	it("takes a message that journalctl gives as bytes, and what is none as empty", async () => {
		const bytes = [...Buffer.from("grün\u0007")];
		const { fake } = host({ stdout: entry(1, bytes) + entry(2, null) });
		const { lines } = await open(fake).read(signal);
		expect(lines.map(({ message }) => message)).toEqual(["grün\u0007", ""]);
	});

	it("of a machine that was set up anew is gone on with by time, without what was shown", async () => {
		const { asked, fake } = host(
			{ stdout: entry(5) },
			{ stderr: "Failed to seek to cursor\njournalctl: exit 1\n" },
			{ stdout: entry(4) + entry(5) + entry(6) },
		);
		const log = open(fake);
		await log.read(signal);
		await expect(log.read(signal)).rejects.toThrow("Failed to seek to cursor");
		const { lines } = await log.read(signal);
		expect(lines.map(({ message }) => message)).toEqual(["line 6"]);
		expect(asked[2]).toEqual([`--since=@${baseUs / 1e6}`]);
	});

	it("that its account may not read is said once, with what helps", async () => {
		const stderr =
			"Hint: You are currently not seeing messages from other users and the system.\n";
		const { fake } = host({ stderr }, { stderr });
		const log = open(fake);
		expect((await log.read(signal)).notes).toEqual([
			expect.stringContaining("usermod --append --groups systemd-journal"),
		]);
		expect((await log.read(signal)).notes).toEqual([]);
	});

	it("that has nothing of the unit is said", async () => {
		const { fake } = host({ stdout: "-- No entries --\n" });
		expect((await open(fake).read(signal)).notes).toEqual([
			"the journal of its host has nothing of raftd-orders-n1.service",
		]);
	});

	it("goes on where it was when its host could not be reached meanwhile", async () => {
		const { asked, fake } = host(
			{ stdout: entry(1) },
			new Error("h1 did not answer"),
			{ stdout: entry(2) },
		);
		const log = open(fake);
		await log.read(signal);
		await expect(log.read(signal)).rejects.toThrow("did not answer");
		expect((await log.read(signal)).lines).toHaveLength(1);
		expect(asked[2]).toEqual(["--after-cursor=c1"]);
	});
});
