import { PassThrough } from "node:stream";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { linesView } from "../../../src/cli/progress/lines.js";
import { liveView } from "../../../src/cli/progress/live.js";
import { ndjsonView } from "../../../src/cli/progress/ndjson.js";
import { viewFor } from "../../../src/cli/progress/view.js";
import { story } from "./story.js";

const now = () => new Date("2026-01-02T03:04:05.678Z");

/** A stream that keeps what is written to it, and is a terminal when asked to. */
function screen(isTTY: boolean) {
	const stream = new PassThrough();
	let text = "";
	stream.on("data", (chunk) => {
		text += chunk;
	});
	const terminal = Object.assign(stream, { isTTY, columns: 100, rows: 50 });
	return {
		stream: terminal as unknown as NodeJS.WriteStream,
		text: () => text,
	};
}

describe("progress without a terminal", () => {
	it("is one plain line an event", async () => {
		const { stream, text } = screen(false);
		const view = linesView({ sink: stream, now });
		for (const event of story) view.show(event);
		await view.close();
		expect(text()).toBe(stripVTControlCharacters(text()));
		await expect(text()).toMatchFileSnapshot("lines.golden");
	});

	it("says of what is taken up how far it came, before the plan of what is left", async () => {
		const step = { id: "n3/stop", title: "stop", node: "n3", cost: "" };
		const event = {
			type: "plan" as const,
			operation: "rolling-restart",
			...{ steps: [step], soFar: ["restarted: n1, n2"] },
		};
		const plain = screen(false);
		linesView({ sink: plain.stream, now }).show(event);
		expect(plain.text().split("\n")).toEqual([
			"03:04:05 plan     rolling-restart: 1 step",
			"03:04:05          so far: restarted: n1, n2",
			...["03:04:05          n3: stop", ""],
		]);
		const terminal = screen(true);
		const live = liveView({ stream: terminal.stream, now });
		live.show(event);
		await live.close();
		expect(terminal.text()).toBe(
			"rolling-restart: 1 step\n  so far: restarted: n1, n2\n  n3: stop\n",
		);
	});

	it("tells a warning before anything began without the time", () => {
		const { stream, text } = screen(false);
		const view = linesView({ sink: stream, now });
		view.show({ type: "warning", node: null, message: "two voters" });
		expect(text()).toBe("Warning: two voters\n");
	});
});

describe("progress as NDJSON", () => {
	it("is every event, numbered, dated and with the schema's version", async () => {
		const { stream, text } = screen(false);
		const view = ndjsonView({ sink: stream, now });
		for (const event of story) view.show(event);
		const lines = text()
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line));
		expect(lines).toEqual(
			story.map((event, position) => ({
				version: 1,
				id: position + 1,
				time: "2026-01-02T03:04:05.678Z",
				...event,
			})),
		);
	});
});

describe("progress for one JSON document", () => {
	it("is nothing but warnings, and those on stderr", async () => {
		const stdout = screen(false);
		const stderr = screen(true);
		const view = viewFor({
			output: "json",
			stdout: stdout.stream,
			stderr: stderr.stream,
			now,
		});
		for (const event of story) view.show(event);
		await view.close();
		expect(stdout.text()).toBe("");
		expect(stderr.text()).toBe("Warning: n2: the disk is slow\n");
	});
});

describe("progress on a terminal", () => {
	/** What stays on the screen: all that was written after the list was cleared for the last time. */
	function left(text: string): string {
		const cleared = text.lastIndexOf(`${String.fromCharCode(27)}[2K`);
		const last = text.slice(cleared + 1);
		return stripVTControlCharacters(last.slice(last.indexOf("\u001B")));
	}

	it("ends as a list of the nodes: done folded, failed open, the rest waiting", async () => {
		const { stream, text } = screen(true);
		const view = liveView({ stream, now });
		for (const event of story) {
			view.show(event);
			// Lets the list be drawn between events, as it is in life.
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
		await view.close();
		await expect(left(text())).toMatchFileSnapshot("live.golden");
	});

	it("ends also when all its events come at once, and when the operation breaks off", async () => {
		for (const length of [1, 2, 4, 5, 8, story.length]) {
			const { stream, text } = screen(true);
			const view = liveView({ stream, now });
			for (const event of story.slice(0, length)) view.show(event);
			await view.close();
			if (length > 1) expect(left(text())).toContain("take the lock");
		}
	});

	it("begins with the plan and its costs: a question may follow", async () => {
		const { stream, text } = screen(true);
		const view = liveView({ stream, now });
		for (const event of story.slice(0, 1)) view.show(event);
		expect(text()).toBe(
			[
				"rolling-restart: 6 steps",
				"  take the lock",
				"  n2: drain (3 move), restart",
				"  n3: drain, restart",
				"  n1: drain",
				"",
			].join("\n"),
		);
		await view.close();
	});

	it("is lines when there is no plan", async () => {
		const { stream, text } = screen(true);
		const view = liveView({ stream, now });
		view.show({ type: "step-started", step: "a", title: "ask", node: "n1" });
		await view.close();
		expect(text()).toBe("03:04:05 start    n1: ask\n");
	});
});
