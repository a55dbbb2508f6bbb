import type { HaproxyBalancerEntry } from "../../config/inventory.js";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Front } from "../front.js";
import { type OpenHost, openSocket, reloadHaproxy } from "./balancer.js";
import { configState, faultOf, writeSection } from "./config-file.js";
import { beginMark, endMark } from "./marked-section.js";
import { renderSection } from "./render.js";
import { backendsIn } from "./stat-lines.js";

/** HAProxy's configuration on its hosts. */
export function haproxyFront(
	entry: HaproxyBalancerEntry,
	openHost: OpenHost,
): Front {
	const show = async (host: string, words: string, signal?: AbortSignal) =>
		(await openSocket(entry, host, openHost)).ask(words, signal);
	return {
		kind: "haproxy",
		path: entry.config,
		render: (inventory) => {
			const { name } = inventory;
			return `${beginMark(name)}\n${renderSection(inventory, entry)}${endMark(name)}\n`;
		},
		async check(host, inventory) {
			const { matches } = await configState(host, entry, inventory);
			const fault = await faultOf(host, entry.config);
			return {
				written: matches,
				faults: [
					...(fault === null ? [] : [`HAProxy refuses its file: ${fault}`]),
					...(await socketFaults(show, host.name)),
				],
			};
		},
		write: (host, inventory, signal) =>
			writeSection(host, entry, { inventory, signal }),
		reload: (host, signal) => reloadHaproxy(entry, { host, openHost, signal }),
		async behind(host, { name, nodes }, signal) {
			const known = backendsIn(await show(host, "show stat", signal), name);
			const has = known.map(({ node }) => node).sort();
			const wanted = nodes.map(({ id }) => id).sort();
			return has.join() === wanted.join()
				? null
				: `it has ${has.length === 0 ? "none of the nodes" : has.join(", ")}`;
		},
	};
}

async function socketFaults(
	show: (host: string, words: string) => Promise<string>,
	host: string,
): Promise<readonly string[]> {
	try {
		const level = (await show(host, "show cli level")).trim();
		return level === "admin"
			? []
			: [
					`its runtime socket lets raftctl look (level ${level}) and not steer; write "level admin" behind it`,
				];
	} catch (error) {
		if (!(error instanceof OperatorError)) throw error;
		const { next } = error;
		return [`${reasonOf(error)}${next === undefined ? "" : `; ${next}`}`];
	}
}
