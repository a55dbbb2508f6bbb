import { isIP } from "node:net";
import type { NodeEntry } from "../../config/inventory.js";

export interface Conflict {
	/** As the cluster file calls it. */
	readonly name: "peer" | "client" | "admin" | "agent";
	readonly address: string;
}

const names = ["peer", "client", "admin", "agent"] as const;

/** Of the node's ports those on which somebody listens, by lines of /proc/net/tcp and tcp6. */
export function conflictsOf(
	node: Pick<NodeEntry, (typeof names)[number]>,
	listens: readonly string[],
): readonly Conflict[] {
	return names.flatMap((name) => {
		const address = node[name];
		if (address === null) return [];
		return listens.some((listener) => isTaken(address, listener))
			? [{ name, address }]
			: [];
	});
}

/** On the same port by an address that is the same, or stands for all. One that is a name may be any. */
function isTaken(address: string, listener: string): boolean {
	const at = address.lastIndexOf(":");
	const port = Number(address.slice(at + 1));
	const [held = "", hex = ""] = listener.split(":");
	if (Number.parseInt(hex, 16) !== port) return false;
	const host = address.slice(0, at);
	if (/^0+$/.test(held) || isIP(host) !== 4) return true;
	if (host === "0.0.0.0") return true;
	return held.endsWith(littleEndian(host));
}

/** As the kernel prints an IPv4 address; one that is mapped into IPv6 ends with it. */
function littleEndian(address: string): string {
	return address
		.split(".")
		.reverse()
		.map((part) => Number(part).toString(16).padStart(2, "0"))
		.join("")
		.toUpperCase();
}
