import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { httpCaller } from "../../src/operations/demo/http-caller.js";
import type { AcknowledgedWrite } from "../../src/operations/demo/traffic.js";
import { lostOn } from "../../src/operations/demo/verification.js";
import type { Random } from "../sim/random.js";
import { Ground, pause } from "./ground.js";
import { isView, lookAt } from "./view.js";

const answerLimitMs = 20_000;
const lookEveryMs = 100;
/** The looks of one sample are not of one moment. */
const samplesToBelieve = 2;

/** A cluster that is made for one round, as an outage is no place for applications' load, and what it acknowledged. */
export class World {
	readonly ground: Ground;
	readonly random: Random;
	readonly ids: readonly string[];
	readonly acknowledged: AcknowledgedWrite[] = [];
	/** Samples in which nodes of two clusters answered. */
	readonly splits: string[] = [];
	#isOver = false;
	#watching: Promise<void> | null = null;

	constructor(
		directory: string,
		options: {
			readonly portBase: number;
			readonly nodes: number;
			readonly random: Random;
		},
	) {
		this.ground = new Ground(directory, options.portBase);
		this.random = options.random;
		this.ids = this.ground.places.slice(0, options.nodes).map(({ id }) => id);
	}

	async open(): Promise<void> {
		await this.ground.writeClusterFile(this.ids);
		await this.ground.succeed(["up", "--yes"]);
		this.#watching = this.#watch();
	}

	/** Ends everything that is left of it. */
	async close(): Promise<void> {
		this.#isOver = true;
		await this.#watching;
		this.ground.killAll();
	}

	/** So many writes through the balancer, one after the other and never tried again. Returns those that failed. */
	async write(count: number): Promise<readonly string[]> {
		const caller = httpCaller(this.ground.balancer, answerLimitMs);
		const failures: string[] = [];
		for (let number = 0; number < count; number++) {
			const key = `w/${this.acknowledged.length + failures.length}`;
			const put = { op: "put", key, value: `value of ${key}` };
			try {
				const { index } = await caller.post("/v1/command", put);
				this.acknowledged.push({ ...put, index: Number(index) });
			} catch (error) {
				failures.push(String(error));
			}
		}
		caller.close();
		return failures;
	}

	/** Those of the first `count` writes that this node's own copy lacks. */
	lostOn(id: string, count = this.acknowledged.length): Promise<string[]> {
		const known = this.acknowledged.slice(0, count);
		const minIndex = known.at(-1)?.index ?? 0;
		const { client } = this.ground.place(id);
		return lostOn(client, known, { minIndex, timeoutMs: answerLimitMs });
	}

	/** The power of all of it is cut. */
	async cut(): Promise<void> {
		for (const id of [...this.ids, "balancer"]) await this.kill(id);
	}

	async kill(id: string): Promise<void> {
		this.ground.signal(id, "SIGKILL");
		while (this.ground.isRunning(id)) await pause(20);
	}

	running(): readonly string[] {
		return this.ids.filter((id) => this.ground.isRunning(id));
	}

	/** As the cluster file has it. */
	clusterId(): string {
		const text = readFileSync(join(this.ground.directory, "cluster.yaml"), {
			encoding: "utf8",
		});
		return /^id: (\S+)$/m.exec(text)?.[1] ?? "";
	}

	/** Names of what lies there, below the state directory. */
	names(...path: readonly string[]): readonly string[] {
		const directory = join(this.state, ...path);
		return existsSync(directory) ? readdirSync(directory).sort() : [];
	}

	/** The operations that the hosts keep, the newest last: of one round there is one for each that was begun. */
	records(): readonly HostRecord[] {
		return this.names("operations")
			.filter((name) => name.endsWith(".json"))
			.map((name) => {
				const path = join(this.state, "operations", name);
				const { operation } = JSON.parse(readFileSync(path, "utf8"));
				const { unfinished, record, beganAtMs } = operation;
				return { unfinished, beganAtMs, ...JSON.parse(record) } as HostRecord;
			})
			.sort((a, b) => a.beganAtMs - b.beganAtMs);
	}

	get state(): string {
		return join(this.ground.directory, ".raftctl/torture");
	}

	/** No node of the old cluster may ever answer beside one of the new (P31). */
	async #watch(): Promise<void> {
		let seen = 0;
		while (!this.#isOver) {
			const looks = await Promise.all(
				this.ground.places.map((place) => lookAt(place)),
			);
			const views = looks.filter(isView);
			const clusters = new Set(views.map(({ clusterId }) => clusterId));
			seen = clusters.size > 1 ? seen + 1 : 0;
			if (seen === samplesToBelieve)
				this.splits.push(`nodes of ${[...clusters].join(" and ")} ran at once`);
			await pause(lookEveryMs);
		}
	}
}

interface HostRecord {
	readonly id: string;
	readonly unfinished: boolean;
	readonly beganAtMs: number;
	readonly state: string;
	readonly attempts: readonly { readonly as: string }[];
	readonly report: object | null;
}
