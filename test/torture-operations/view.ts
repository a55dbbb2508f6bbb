import { askAdmin } from "./admin.js";
import type { Place } from "./ground.js";

/** What the torture looks at of one node's own word. */
export interface NodeView {
	readonly id: string;
	readonly clusterId: string;
	readonly incarnation: string;
	readonly role: string;
	readonly term: number;
	readonly leader: string;
	readonly durable: number;
	readonly commit: number;
	readonly configuration: Configuration;
	readonly draining: boolean;
	/** Who holds the operation lock, "" for nobody. */
	readonly lockHolder: string;
	/** Of the operation that is not finished, "" for none. */
	readonly operation: string;
}

export interface Configuration {
	readonly index: number;
	readonly members: readonly {
		readonly id: string;
		readonly role: "voter" | "outgoing" | "learner";
		/** "" until it is known. */
		readonly incarnation: string;
	}[];
}

/** gone: nobody listens there. silent: somebody may, but did not answer in time. */
export type Look = NodeView | "gone" | "silent";

export async function lookAt(
	place: Place,
	answerLimitMs = 2_000,
): Promise<Look> {
	try {
		const limits = { limitMs: answerLimitMs };
		const { status, body } = await askAdmin(place, "GetStatus", limits);
		return status === 200 ? readView(body) : "silent";
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		return code === "ECONNREFUSED" ? "gone" : "silent";
	}
}

/** Proto's JSON leaves out what has its default. */
// biome-ignore lint/suspicious/noExplicitAny: read field by field here, and nowhere else
function readView(status: any): NodeView {
	const { configuration = {} } = status;
	return {
		...{ id: status.nodeId, clusterId: status.clusterId },
		incarnation: status.incarnation ?? "",
		...{ role: status.role, term: Number(status.term ?? 0) },
		leader: status.leaderId ?? "",
		durable: Number(status.durableIndex ?? 0),
		commit: Number(status.commitIndex ?? 0),
		configuration: {
			index: Number(configuration.index ?? 0),
			members: (configuration.members ?? []).map(
				// biome-ignore lint/suspicious/noExplicitAny: as above
				(member: any) => ({ incarnation: "", ...member }),
			),
		},
		draining: status.drain?.draining ?? false,
		lockHolder: isOver(status.lock) ? "" : (status.lock?.holder ?? ""),
		operation: status.operation?.id ?? "",
	};
}

/** That of `down` goes with the quorum that keeps it, and is nobody's once it has expired; every other is let go of. */
function isOver(
	lock: { readonly operation?: string; readonly expiresAtMs?: number } = {},
): boolean {
	return lock.operation === "down" && (lock.expiresAtMs ?? 0) < Date.now();
}

export function isView(look: Look): look is NodeView {
	return typeof look === "object";
}

/** The newest configuration that anybody knows of; null when nobody answers. */
export function newestConfiguration(
	looks: readonly Look[],
): Configuration | null {
	const known = looks
		.filter(isView)
		.map(({ configuration }) => configuration)
		.filter(({ members }) => members.length > 0);
	return known.reduce<Configuration | null>(
		(newest, one) =>
			newest === null || one.index > newest.index ? one : newest,
		null,
	);
}
