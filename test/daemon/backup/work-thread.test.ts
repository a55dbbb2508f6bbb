import { describe, expect, it } from "vitest";
import type { Work } from "../../../src/daemon/backup/work.js";
import { WorkThreads } from "../../../src/daemon/backup/work-thread.js";

/** A thread that does what `source` says, with `port` and `work` as the real one has them. */
function threads(source: string, stallMs = 20_000, endLimitMs = 200) {
	const text = `import { workerData } from "node:worker_threads";
const { port, work } = workerData;
${source}`;
	return new WorkThreads({
		workerUrl: new URL(`data:text/javascript,${encodeURIComponent(text)}`),
		...{ stallMs: () => stallMs, endLimitMs },
	});
}

const hook: Work = {
	kind: "hook",
	order: {
		...{ node: "n1", command: ["/hook"], directory: "/" },
		...{ environment: {}, limitMs: 1000 },
	},
};
const never = () => new AbortController().signal;

describe("a thread for a piece of work", () => {
	it("gives back what the work comes to", async () => {
		const copied = { file: "/f", bytes: 7, removed: ["/old"] };
		const source = `port.postMessage({ kind: "done", copied: ${JSON.stringify(copied)} }); port.close();`;
		expect(await threads(source).run(hook, never())).toEqual(copied);
	});

	it("is heard to its last word, although it has ended by then", async () => {
		// More than a port hands over in one turn, so that the end comes in between.
		const source = `for (let n = 0; n < 100_000; n++) port.postMessage({ kind: "progress" });
port.postMessage({ kind: "done", copied: null });
port.close();`;
		expect(await threads(source).run(hook, never())).toBeNull();
	});

	it("that ends without a word is a fault, and the next one begins", async () => {
		const idle = threads("");
		for (let left = 2; left > 0; left -= 1)
			await expect(idle.run(hook, never())).rejects.toThrow(
				"the thread of the hook ended",
			);
	});

	it("that breaks is a fault", async () => {
		await expect(
			threads(`throw new Error("broken");`).run(hook, never()),
		).rejects.toThrow("broken");
	});

	it("that stands still is given up, and the next one begins", async () => {
		const still = threads(`port.on("message", () => {});`, 200);
		for (let left = 2; left > 0; left -= 1)
			await expect(still.run(hook, never())).rejects.toThrow(
				"the hook has stood still for 0.2 s",
			);
	});

	it("that says now and then that it lives may take its time", async () => {
		const slow = threads(
			`port.on("message", () => {});
let left = 10;
const timer = setInterval(() => {
	port.postMessage({ kind: "progress" });
	if (--left > 0) return;
	clearInterval(timer);
	port.postMessage({ kind: "done", copied: null });
	port.close();
}, 100);`,
			600,
		);
		expect(await slow.run(hook, never())).toBeNull();
	});

	it("that listens to nobody is ended when it is told to", async () => {
		const deaf = threads("for (;;);");
		const stop = new AbortController();
		const running = deaf.run(hook, stop.signal);
		setTimeout(() => stop.abort(new Error("no longer leads")), 100);
		await expect(running).rejects.toThrow("no longer leads");
		// Its place is free again.
		await expect(deaf.run(hook, AbortSignal.timeout(100))).rejects.not.toThrow(
			"still hangs",
		);
	});

	it("is told to end once, and may end in order", async () => {
		const polite = threads(
			`port.on("message", () => { port.postMessage({ kind: "done", copied: null }); port.close(); });`,
		);
		const stop = new AbortController();
		const running = polite.run(hook, stop.signal);
		setTimeout(() => stop.abort(new Error("no longer leads")), 50);
		await expect(running).rejects.toThrow("no longer leads");
	});

	it("sees nothing of the environment that could steer the S3 client", async () => {
		process.env.AWS_PROFILE = "somebody";
		const source = `port.postMessage({ kind: "done", copied: Object.keys(process.env).sort() }); port.close();`;
		expect(await threads(source).run(hook, never())).toEqual([
			"AWS_CONFIG_FILE",
			"AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED",
			"AWS_SHARED_CREDENTIALS_FILE",
		]);
		delete process.env.AWS_PROFILE;
	});
});
