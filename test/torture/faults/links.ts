import { electionTimeoutMs } from "../cluster.js";
import type { Battlefield, Fault } from "./battlefield.js";

/** The cluster falls into two groups that hear nothing of each other. */
export const partition: Fault = {
	name: "partition",
	async strike(field) {
		const [some, others] = await field.groups();
		return whileBroken(field, ({ network }) => {
			for (const { name: one } of some) {
				for (const { name: other } of others) {
					network.cut(one, other);
					network.cut(other, one);
				}
			}
		});
	},
};

/** One place is heard by the rest and hears nothing of them, or the other way round (P35). */
export const asymmetric: Fault = {
	name: "asymmetric",
	async strike(field) {
		const [[lone], others] = await field.groups();
		if (lone === undefined) return false;
		const deaf = field.random.chance(0.5);
		return whileBroken(field, ({ network }) => {
			for (const { name } of others) {
				if (deaf) network.cut(name, lone.name);
				else network.cut(lone.name, name);
			}
		});
	},
};

/** Some links take their time: answers come after the world has moved on (P41, P52). */
export const slow: Fault = {
	name: "slow",
	strike: (field) =>
		whileBroken(field, ({ network, places }) => {
			for (const { name: from } of places) {
				for (const { name: to } of places) {
					if (from === to || field.random.chance(0.4)) continue;
					network.slow(from, to, field.random.scaled(5, electionTimeoutMs));
				}
			}
		}),
};

/** Connections between nodes break and are made anew. */
export const reset: Fault = {
	name: "reset",
	async strike({ cluster: { network, places }, random }) {
		const [one, other] = random.shuffle([...places]);
		if (one === undefined || other === undefined) return false;
		network.reset(one.name, other.name);
		return true;
	},
};

async function whileBroken(
	field: Battlefield,
	breakLinks: (cluster: Battlefield["cluster"]) => void,
): Promise<boolean> {
	breakLinks(field.cluster);
	await field.pause(electionTimeoutMs, 8 * electionTimeoutMs);
	field.cluster.network.heal({ reset: field.random.chance(0.5) });
	return true;
}
