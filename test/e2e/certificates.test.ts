import { readFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	connectKeyValue,
	type KeyValueClient,
} from "../../src/client/index.js";
import { eventually, LocalCluster } from "./local-cluster.js";

const portBase = 23_400;
let cluster: LocalCluster;
let load: Load;

/** Writers without retries of their own: whatever fails here has failed for an application. */
class Load {
	readonly failures: unknown[] = [];
	answered = 0;
	readonly #client: KeyValueClient;
	readonly #writers: Promise<void>[];
	#ended = false;

	constructor(endpoint: string, ca: () => string) {
		this.#client = connectKeyValue({
			endpoints: [endpoint],
			tls: () => ({ ca: ca() }),
			timeoutMs: 20_000,
		});
		this.#writers = [1, 2, 3].map((writer) => this.#write(writer));
	}

	async #write(writer: number): Promise<void> {
		for (let turn = 0; !this.#ended; turn++) {
			try {
				await this.#client.put(`key-${writer}`, `${turn}`);
				this.answered++;
			} catch (error) {
				this.failures.push(error);
			}
			await new Promise((wake) => setTimeout(wake, 5));
		}
	}

	async end(): Promise<void> {
		this.#ended = true;
		await Promise.all(this.#writers);
		await this.#client.close();
	}
}

const directory = () => join(cluster.directory, ".raftctl", `e2e-${portBase}`);
const bundle = () => readFileSync(join(directory(), "certs", "ca.crt"), "utf8");
const count = (text: string) => text.split("BEGIN CERTIFICATE").length - 1;
const pids = () =>
	Promise.all(["n1", "n2", "n3"].map((name) => cluster.pidOf(name)));

beforeAll(async () => {
	cluster = await LocalCluster.create({ portBase });
	await appendFile(cluster.file, "\ntls: {}\n");
	await cluster.succeed(["certs", "init"]);
	await cluster.succeed(["up"]);
	load = new Load(`127.0.0.1:${portBase}`, bundle);
	await eventually(async () => load.answered > 20, "answers over TLS");
}, 240_000);

afterAll(async () => {
	await load?.end();
	await cluster?.dispose();
}, 60_000);

describe("a cluster that speaks TLS", { timeout: 480_000 }, () => {
	it("is whole and operated as any other, key-value commands included", async () => {
		const { problems, phase } = await cluster.json(["certs", "status"]);
		expect({ problems, phase }).toEqual({ problems: [], phase: "steady" });
		await cluster.succeed(["kv", "put", "colour", "blue"]);
		const { value } = await cluster.json(["kv", "get", "colour"]);
		expect(value).toBe("blue");
		const { nodes } = await cluster.json(["status", "--timeout", "20s"]);
		const ready = nodes.map((node: { ready: boolean }) => node.ready);
		expect(ready).toEqual([true, true, true]);
	});

	it("has its certificates renewed under load, without a restart or a failed request", async () => {
		const [before, answered] = [await pids(), load.answered];
		const { renewed } = await cluster.json(["certs", "renew"]);
		expect(renewed).toEqual(["n1", "n2", "n3"]);
		const { problems } = await cluster.json(["certs", "status"]);
		expect(problems).toEqual([]);
		expect(await pids()).toEqual(before);
		expect(load.failures).toEqual([]);
		await eventually(async () => load.answered > answered, "answers");
	});

	it("has its authority replaced under load, phase by phase, without a restart or a failed request", async () => {
		const [before, old] = [await pids(), bundle()];
		const first = ["certs", "rotate", "--yes", "--until", "trust"];
		expect((await cluster.json(first)).phase).toBe("use");
		expect(count(bundle())).toBe(2);
		const last = ["certs", "rotate", "--yes", "--max-failed", "0"];
		const { phase, cost } = await cluster.json(last);
		expect(phase).toBe("steady");
		expect(cost.failedRequests).toBe(0);
		expect(count(bundle())).toBe(1);
		expect(bundle()).not.toBe(old);
		expect((await cluster.json(["certs", "status"])).problems).toEqual([]);
		expect(await pids()).toEqual(before);
		expect(load.failures).toEqual([]);
	});

	it("loses nothing when the operator is killed between two phases, and anybody goes on", async () => {
		const before = await pids();
		const killed = cluster.start(["certs", "rotate", "--yes"]);
		let said = "";
		killed.child.stderr?.on("data", (chunk) => {
			said += chunk;
		});
		await eventually(
			async () => /done .*n1: show the new certificate/.test(said),
			"the second phase",
			240_000,
		);
		killed.child.kill("SIGKILL");
		await killed.done;
		expect(count(bundle())).toBe(2);
		expect((await cluster.json(["kv", "get", "colour"])).value).toBe("blue");
		await cluster.releaseLock();
		await cluster.succeed(["operation", "resume", "--yes"]);
		const { phase, problems } = await cluster.json(["certs", "status"]);
		expect({ phase, problems }).toEqual({ phase: "steady", problems: [] });
		expect(count(bundle())).toBe(1);
		expect(await pids()).toEqual(before);
		expect(load.failures).toEqual([]);
	});
});
