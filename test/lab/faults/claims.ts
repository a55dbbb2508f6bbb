import { setTimeout as sleep } from "node:timers/promises";
import { parseStat } from "../../../src/balancers/haproxy/stat-lines.js";
import { lostOn } from "../../../src/operations/demo/verification.js";
import { unrestOf } from "../../torture-operations/settled.js";
import { lookAt } from "../../torture-operations/view.js";
import { cluster, type Stage, storyOf } from "./stage.js";

const lookLimitMs = 5_000;
const readLimitMs = 60_000;
const pauseMs = 500;

/** Looks until nothing is wrong, or the limit is over. Returns what is. */
export async function settled(
	stage: Stage,
	limitMs: number,
): Promise<readonly string[]> {
	const endMs = performance.now() + limitMs;
	for (;;) {
		const wrong = await wrongNow(stage);
		if (wrong.length === 0 || performance.now() > endMs) return wrong;
		await sleep(pauseMs);
	}
}

/** By the nodes' own words and HAProxy's, then by raftctl's. */
async function wrongNow(stage: Stage): Promise<readonly string[]> {
	const looks = stage.places.map((place) => lookAt(place, lookLimitMs));
	const { drained, held, views } = unrestOf(await Promise.all(looks));
	const members = await stage.members().catch(() => []);
	const wrong = [
		...drained.map((id) => `${id} is drained`),
		...[...held, ...views],
		...frontFaults(await stage.frontStat(), members),
	];
	if (wrong.length > 0) return wrong;
	for (const argv of [["health"], ["diff"]]) {
		const run = await stage.run(argv);
		if (run.exitCode !== 0) return [storyOf(argv, run), run.stdout];
	}
	return [];
}

/** HAProxy has to have every member, up and with a weight, and nobody else. */
export function frontFaults(
	stat: string,
	members: readonly string[],
): readonly string[] {
	const servers = parseStat(stat).filter(
		({ pxname, svname }) =>
			pxname === `raftctl-${cluster}` &&
			svname !== "FRONTEND" &&
			svname !== "BACKEND",
	);
	const isKnown = (id: string) => servers.some(({ svname }) => svname === id);
	return [
		...members
			.filter((id) => !isKnown(id))
			.map((id) => `HAProxy does not know ${id}`),
		...servers.flatMap(({ svname = "", status = "", weight }) => {
			if (!members.includes(svname))
				return [`HAProxy has ${svname}, which is no member`];
			const isUp = /^UP( |$)/.test(status) && Number(weight) > 0;
			return isUp ? [] : [`HAProxy has ${svname} as ${status}`];
		}),
	];
}

/** Reads every write back that was ever acknowledged: from each member, by its own copy. */
export async function lost(stage: Stage): Promise<readonly string[]> {
	const { acknowledged } = stage;
	const members = await stage.members();
	const minIndex = acknowledged.reduce(
		(most, { index }) => Math.max(most, index),
		0,
	);
	const wrong: string[] = [];
	const options = { minIndex, timeoutMs: readLimitMs, ...stage.tls };
	for (const { id, client } of stage.places) {
		if (!members.includes(id)) continue;
		const missing = await lostOn(client, acknowledged, options);
		if (missing.length > 0)
			wrong.push(
				`${id} lacks ${missing.length} acknowledged writes, ${missing[0]} for one`,
			);
	}
	return wrong;
}
