import type { Fault } from "./battlefield.js";

/** Seconds, as after a bad time server; minutes; and beyond the life of every session and lock. */
const jumpsMs = [700, 5_000, 15_000, 120_000, 7_200_000];

/** A node's wall clock jumps, forwards or backwards, and back after a while. Nothing in Raft may rest on it. */
export const clock: Fault = {
	name: "clock",
	strike: async (field) => {
		const node = await field.anyNode(field.cluster.nodes);
		if (node === null) return false;
		const jumpMs = field.random.pick(jumpsMs);
		node.setClock(field.random.chance(0.5) ? jumpMs : -jumpMs);
		await field.pause(200, 6_000);
		node.setClock(0);
		return true;
	},
};
