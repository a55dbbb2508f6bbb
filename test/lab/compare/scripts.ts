import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab.js";
import type { HostName } from "../names.js";
import { until } from "../until.js";
import { inside } from "./inside.js";
import { setState } from "./ordinary-front.js";

export interface ScriptNode {
	readonly id: string;
	readonly host: HostName;
	readonly unit: string;
	/** host:port that the script waits for. */
	readonly client: string;
}

const portLimitMs = 60_000;
const connectLimitMs = 1_000;
/** What a script gives connections to leave. Longer helps requests no more, and WebSockets not at all. */
export const drainMs = 5_000;

/** For each node: restart its unit, wait for its port. Returns the first. */
export async function ordinaryScript(
	lab: Lab,
	nodes: readonly ScriptNode[],
): Promise<string> {
	for (const { host, unit, client } of nodes) {
		await inside(lab, host, ["systemctl", "restart", unit]);
		await until(() => isOpen(client), portLimitMs, { what: client });
	}
	return firstOf(nodes);
}

/** The same, each between `state drain` with a sleep and `state ready`. */
export async function drainScript(
	lab: Lab,
	nodes: readonly ScriptNode[],
): Promise<string> {
	for (const node of nodes) {
		await setState(lab, node.id, "drain");
		await sleep(drainMs);
		await ordinaryScript(lab, [node]);
		await setState(lab, node.id, "ready");
	}
	return firstOf(nodes);
}

function firstOf([first]: readonly ScriptNode[]): string {
	return first?.id ?? "";
}

function isOpen(address: string): Promise<boolean> {
	const [host = "", port = ""] = address.split(":");
	return new Promise((resolve) => {
		const socket = connect({ host, port: Number(port) });
		const end = (open: boolean) => {
			socket.destroy();
			resolve(open);
		};
		socket.setTimeout(connectLimitMs, () => end(false));
		socket.once("connect", () => end(true));
		socket.once("error", () => end(false));
	});
}
