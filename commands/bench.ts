import { randomBytes } from "node:crypto";
import { benchFlags, courseOf } from "../src/cli/bench/bench-flags.js";
import { ClusterCommand } from "../src/cli/cluster-command.js";
import { type ErrorKind, OperatorError } from "../src/errors.js";
import type { BenchWish } from "../src/operations/bench/bench.js";
import type { TargetWish } from "../src/operations/bench/load.js";

export default class Bench extends ClusterCommand<typeof Bench> {
	static override summary = "Put load on the cluster and say how it did.";
	static override description =
		"Writes and reads keys of its own, below raftctl/bench/, through the client library, and removes them afterwards. In a closed loop (--clients) each client waits for its answer; in an open loop (--rate) requests come evenly whatever becomes of them, and latency counts from when each was due, so that no stall hides. Whatever else the cluster serves is slower meanwhile: it asks first. Ctrl-C prints what was measured so far. --etcd puts the same load on an etcd as well, to compare.";
	static override examples = [
		"<%= config.bin %> bench --clients 256 --duration 30s",
		"<%= config.bin %> bench --rate 5000 --reads 0.8 --report bench.html",
		"<%= config.bin %> bench --sweep --yes",
		"<%= config.bin %> bench --etcd 10.0.0.9:2379 -o json --yes",
		"<%= config.bin %> bench --clean --yes",
	];
	static override flags = benchFlags;

	async run(): Promise<void> {
		const inventory = await this.inventory();
		const { etcdWish, raftdWish } = await import(
			"../src/operations/bench/wish.js"
		);
		const { endpoint, spread, consistency, etcd } = this.flags;
		const targets = [
			raftdWish(inventory, { endpoints: endpoint, spread, consistency }),
			...(etcd.length > 0 ? [etcdWish(etcd)] : []),
		];
		if (this.flags.clean) await this.#clean(targets);
		else await this.#bench(inventory.name, targets);
	}

	async #bench(cluster: string, targets: readonly TargetWish[]): Promise<void> {
		const question = `Put this load on ${cluster}?`;
		this.requireAnswer(question);
		const { report: file } = this.flags;
		const reports = await import("../src/cli/bench/bench-file.js");
		const wish = await this.#wish(targets);
		if (file !== undefined) await reports.requireReportFile(file);
		const { bench, planBench, requireAnswers } = await import(
			"../src/operations/bench/bench.js"
		);
		const { openCrew } = await import("../src/operations/bench/crew.js");
		await requireAnswers(openCrew, wish);
		this.emit({ type: "plan", operation: "bench", steps: planBench(wish) });
		await this.confirm(question);
		const { systemClock: clock } = await import("../src/operations/clock.js");
		const { emit, signal } = this;
		const report = await bench(
			{ ...{ cluster, openCrew, clock, emit, signal } },
			wish,
		);
		if (file !== undefined)
			await reports.writeReportFile(file, report, new Date());
		const { benchText } = await import("../src/cli/bench/bench-text.js");
		await this.print(report, () => benchText(report));
		const { isUnanswered } = await import("../src/operations/bench/result.js");
		if (isUnanswered(report)) this.exitAs("unhealthy");
		if (report.keys.left.length > 0) this.exitAs("partial");
		if (signal.aborted) this.exitAs(kindOf(signal.reason));
	}

	async #wish(targets: readonly TargetWish[]): Promise<BenchWish> {
		const { benchPrefix } = await import("../src/operations/bench/wish.js");
		const { bytes, keys, reads, connections, threads, timeout } = this.flags;
		const prefix = `${benchPrefix}${randomBytes(4).toString("hex")}/`;
		return {
			targets,
			requests: {
				...{ prefix, bytes, keys, reads, connections, timeoutMs: timeout },
			},
			...courseOf(this.flags),
			...{ threads, warmUpMs: this.flags["warm-up"] },
		};
	}

	async #clean(targets: readonly TargetWish[]): Promise<void> {
		const { benchPrefix } = await import("../src/operations/bench/wish.js");
		const question = `Remove every key below ${benchPrefix}, those of a bench that runs now too?`;
		this.requireAnswer(question);
		const { openCrew } = await import("../src/operations/bench/crew.js");
		const { requireAnswers } = await import("../src/operations/bench/bench.js");
		const { cleanRequests: requests, removeLeftKeys } = await import(
			"../src/operations/bench/clean.js"
		);
		await requireAnswers(openCrew, { targets, requests });
		await this.confirm(question);
		const result = await removeLeftKeys(openCrew, targets);
		await this.print(
			result,
			() => `Removed ${result.removed} keys below ${result.prefix}`,
		);
	}
}

function kindOf(reason: unknown): ErrorKind {
	return reason instanceof OperatorError ? reason.kind : "interrupted";
}
