import type { Lab } from "../lab.js";
import type { HostName } from "../names.js";

/** Where a fault comes about. */
export interface Scene {
	readonly lab: Lab;
	/** That of a member. */
	readonly host: HostName;
	readonly killOperator: () => void;
	/** Which way a clock jumps. */
	readonly isAhead: boolean;
}

export interface Fault {
	readonly name: string;
	readonly begin: (scene: Scene) => Promise<void>;
	/** Absent where it is over at once. */
	readonly lift?: (scene: Scene) => Promise<void>;
	/** No node is touched, and no connection cut: no client may notice. */
	readonly isUnseen?: true;
	/** It is about a member's host. */
	readonly isOfHost?: true;
	/** It sets a clock. */
	readonly isOfClock?: true;
}

const jumpMs = 300_000;

/** None first: what an operation costs by itself, and that nothing is found fault with then. */
export const faults: readonly Fault[] = [
	{ name: "none", begin: async () => undefined, isUnseen: true },
	{
		...{ name: "power-off", isOfHost: true },
		begin: ({ lab, host }) => lab.powerOff(host),
		lift: ({ lab, host }) => lab.boot(host),
	},
	{
		...{ name: "freeze", isOfHost: true },
		begin: ({ lab, host }) => lab.freeze(host),
		lift: ({ lab, host }) => lab.thaw(host),
	},
	{
		...{ name: "cut-from-others", isOfHost: true },
		begin: ({ lab, host }) => lab.cut(host, { from: "others" }),
		lift: ({ lab, host }) => lab.heal(host),
	},
	{
		...{ name: "cut-from-operator", isOfHost: true },
		begin: ({ lab, host }) => lab.cut(host, { from: "operator" }),
		lift: ({ lab, host }) => lab.heal(host),
	},
	{
		...{ name: "disk-full", isOfHost: true },
		begin: ({ lab, host }) => lab.fillDisk(host),
		lift: ({ lab, host }) => lab.emptyDisk(host),
	},
	{
		...{ name: "sshd-dead", isOfHost: true },
		begin: ({ lab, host }) => lab.stopSsh(host),
		lift: ({ lab, host }) => lab.startSsh(host),
	},
	{
		...{ name: "haproxy-reload", isUnseen: true },
		begin: ({ lab }) => lab.haproxy("reload"),
	},
	{
		name: "haproxy-restart",
		begin: ({ lab }) => lab.haproxy("restart"),
	},
	{
		...{ name: "operator-killed", isUnseen: true },
		begin: async ({ killOperator }) => killOperator(),
	},
	{
		...{ name: "clock-jump", isOfHost: true, isOfClock: true },
		begin: ({ lab, host, isAhead }) =>
			lab.setClock(host, isAhead ? jumpMs : -jumpMs),
		lift: ({ lab, host }) => lab.setClock(host, 0),
	},
];
