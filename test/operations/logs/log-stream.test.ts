import { describe, expect, it } from "vitest";
import type { LogLine } from "../../../src/operations/logs/log-line.js";
import { LogStream } from "../../../src/operations/logs/log-stream.js";
import type {
	LogPage,
	LogSource,
} from "../../../src/operations/logs/source.js";
import { FakeClock } from "../../fakes/fake-clock.js";

const nothing: LogPage = { lines: [], more: false, notes: [] };

function page(node: string, ...times: number[]): LogPage {
	const lines = times.map(
		(atMs): LogLine => ({
			...{ node, atMs, level: null, message: "", fields: {} },
		}),
	);
	return { ...nothing, lines };
}

/** A log that has these pages, one after the other. */
function source(
	node: string,
	...pages: (LogPage | Error | Promise<LogPage>)[]
): LogSource & { closed: boolean } {
	return {
		...{ node, closed: false },
		async read() {
			const next = pages.shift() ?? nothing;
			if (next instanceof Error) throw next;
			return next;
		},
		async close() {
			this.closed = true;
		},
	};
}

function stream(...sources: LogSource[]) {
	const said: string[] = [];
	const abort = new AbortController();
	const opened = new LogStream({
		...{ sources, clock: new FakeClock(), signal: abort.signal },
		say: (node, message) => said.push(`${node}: ${message}`),
	});
	return { opened, said, abort };
}

const timesOf = ({ lines }: { lines: readonly LogLine[] }) =>
	lines.map(({ atMs }) => atMs);

describe("several logs in one stream", () => {
	it("come in rounds, each by time", async () => {
		const { opened } = stream(
			source("n1", page("n1", 1, 4)),
			source("n2", page("n2", 2, 3), page("n2", 5)),
		);
		expect(timesOf(await opened.round(1000))).toEqual([1, 2, 3, 4]);
		expect(timesOf(await opened.round(1000))).toEqual([5]);
	});

	it("go on without one that fails, which is said once, and once again when it is back", async () => {
		const dead = new Error("h2 did not answer");
		const { opened, said } = stream(
			source("n1", page("n1", 1), page("n1", 2), page("n1", 3)),
			source("n2", dead, dead, page("n2", 9)),
		);
		expect(timesOf(await opened.round(1000))).toEqual([1]);
		expect(opened.unread).toEqual([{ node: "n2", fault: "h2 did not answer" }]);
		expect(timesOf(await opened.round(1000))).toEqual([2]);
		expect(said).toEqual(["n2: its log is not read: h2 did not answer"]);
		expect(timesOf(await opened.round(1000))).toEqual([3, 9]);
		expect(said.slice(1)).toEqual(["n2: its log is read again"]);
		expect(opened.unread).toEqual([]);
	});

	it("do not wait for one that is slow, and lose nothing of it", async () => {
		let answer: (page: LogPage) => void = () => {};
		const slow = new Promise<LogPage>((resolve) => {
			answer = resolve;
		});
		const { opened } = stream(
			source("n1", page("n1", 1), page("n1", 2)),
			source("n2", slow, page("n2", 3)),
		);
		expect(timesOf(await opened.round(1000))).toEqual([1]);
		expect(timesOf(await opened.round(1000))).toEqual([2]);
		answer(page("n2", 0));
		expect(timesOf(await opened.round(1000))).toEqual([0]);
		expect(timesOf(await opened.round(1000))).toEqual([3]);
	});

	it("are waited for to the last where there is no limit", async () => {
		const slow = new Promise<LogPage>((resolve) =>
			setTimeout(() => resolve(page("n2", 1)), 20),
		);
		const { opened } = stream(source("n1", page("n1", 2)), source("n2", slow));
		expect(timesOf(await opened.round(null))).toEqual([1, 2]);
	});

	it("say what is to be known of a log, and that there is more", async () => {
		const full = { ...page("n1", 1), more: true, notes: ["half of it"] };
		const { opened, said } = stream(source("n1", full));
		expect((await opened.round(1000)).more).toBe(true);
		expect((await opened.round(1000)).more).toBe(false);
		expect(said).toEqual(["n1: half of it"]);
	});

	it("blame nobody for the reader's leaving, and are closed", async () => {
		const one = source("n1", new Error("aborted"));
		const { opened, said, abort } = stream(one);
		abort.abort(new Error("enough"));
		expect(await opened.round(1000)).toEqual({ lines: [], more: false });
		await opened.close();
		expect([said, opened.unread, one.closed]).toEqual([[], [], true]);
	});
});
