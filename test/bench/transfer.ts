import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Figure, mebibyte, rounded, type Settings } from "./figures.js";
import { Load } from "./load/load.js";
import { BenchCluster, type BenchNode, until } from "./nodes.js";
import { fill, noSnapshots } from "./snapshot.js";
import { SnapshotCutter } from "./snapshot-cutter.js";

/** Of a snapshot's file: what may be sent twice. */
const chunkBytes = mebibyte;
const rounds = 3;

/** A large state to empty learners over loopback: how fast, and what a cut costs. */
export function transferFigures(settings: Settings): Promise<Figure[]> {
	const limits = { ...noSnapshots, maxSnapshotBytesPerSecond: 1e12 };
	return BenchCluster.with(
		3,
		{ limits, profile: settings.profile, probed: true },
		async (cluster) => {
			const leader = await cluster.leader();
			const load = await Load.to(leader.addresses.client);
			await fill(load);
			await load.end();
			const index = await leader.takeSnapshot();
			// The log must not reach back to the beginning, or a learner gets entries.
			await until("the log is compacted", async () =>
				(await leader.metric("raftd_log_segments")) < 3 ? true : null,
			);
			const figures: Figure[] = [];
			for (let round = 1; round <= rounds; round++) {
				const learner = await cluster.join(`l${round}`, leader);
				figures.push(...(await transferTo(learner, index)));
				await cluster.remove(learner, leader);
			}
			figures.push(await resumed(cluster, leader, index));
			return figures;
		},
	);
}

async function transferTo(learner: BenchNode, index: number) {
	const { sinceMs, untilMs, bytes } = await arrival(learner);
	const readyMs = await restored(learner, index);
	const { longestOwnHoldMs } = await learner.probe();
	const seconds = (untilMs - sinceMs) / 1000;
	const figures: Figure[] = [
		{
			name: `snapshot to ${learner.id}`,
			value: bytes / 1e6 / seconds,
			unit: "MB/s",
			atLeast: 150,
			note: `${Math.round(bytes / 1e6)} MB in ${rounded(seconds)} s, durable; restored ${rounded((readyMs - untilMs) / 1000)} s later; the learner's loop held ${rounded(longestOwnHoldMs)} ms at most`,
		},
	];
	return figures;
}

async function restored(learner: BenchNode, index: number): Promise<number> {
	await until("the snapshot is restored", async () =>
		((await learner.status())?.appliedIndex ?? 0) >= index ? true : null,
	);
	return performance.now();
}

/** From the first sight of the file until it has its name, which is when it is durable. */
async function arrival(learner: BenchNode) {
	const directory = join(learner.data, "snapshots");
	const find = (suffix: string) => {
		try {
			return readdirSync(directory).find((name) => name.endsWith(suffix));
		} catch {
			return undefined;
		}
	};
	await until("a transfer", () =>
		(find(".part") ?? find(".snapshot")) === undefined ? null : true,
	);
	const sinceMs = performance.now();
	const name = await until("the snapshot", () => find(".snapshot") ?? null);
	const untilMs = performance.now();
	return { sinceMs, untilMs, bytes: statSync(join(directory, name)).size };
}

async function resumed(
	cluster: BenchCluster,
	leader: BenchNode,
	index: number,
): Promise<Figure> {
	const cutter = await SnapshotCutter.before(leader.addresses.peer);
	try {
		const learner = await cluster.join("cut", leader, ({ id, peer }) =>
			id === leader.id ? cutter.address : peer,
		);
		await restored(learner, index);
		const { reached, resumedFrom } = cutter;
		return {
			name: "sent twice after a cut half-way",
			value: (reached - resumedFrom) / chunkBytes,
			unit: "chunks",
			atMost: 1,
			note: `cut at ${reached}, resumed from ${resumedFrom}`,
		};
	} finally {
		await cutter.close();
	}
}
