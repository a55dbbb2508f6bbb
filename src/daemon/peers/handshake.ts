import {
	type HelloFrame,
	type LevelRange,
	newestPeerVersion,
	oldestPeerVersion,
	type RefusedFrame,
	type WelcomeFrame,
} from "../../wire/peer-handshake.js";
import { nameText } from "../tls/material.js";
import type { Certified } from "../tls/verdict.js";

/** Who this node is. */
export interface PeerIdentity {
	readonly clusterId: string;
	readonly nodeId: string;
	/** Random, made with the data directory. */
	readonly incarnation: string;
	readonly levels: LevelRange;
}

/** What this node asks of a peer beyond its name. */
export interface PeerRules {
	readonly self: PeerIdentity;
	readonly incarnations: Incarnations;
	/** What the cluster writes: whoever cannot read it must not get it (P61). */
	readonly writeLevel: () => {
		readonly level: number;
		readonly release: string;
	};
}

/** The incarnations that this node has met, durable: a member that lost its disk must not pass for its old self. */
export interface Incarnations {
	known(nodeId: string): string | null;
	learn(nodeId: string, incarnation: string): void;
}

export type Refusal = Omit<RefusedFrame, "type">;

/** Why whoever says `hello` is not believed to be who it says; null when it is. Asked before anything else. */
export function refuseCaller(
	{ from }: HelloFrame,
	caller: Certified,
	{ clusterId, nodeId }: PeerIdentity,
): Refusal | null {
	const refusal = (sentence: string): Refusal => ({
		cause: "certificate",
		sentence,
	});
	if (caller.kind === "none")
		return refusal(
			`${nodeId} asks every node for its certificate, and ${from} shows none`,
		);
	if (caller.kind === "refused")
		return refusal(
			`${nodeId} does not accept the certificate of ${from}: ${caller.reason}`,
		);
	const { name } = caller;
	const isItself =
		name?.kind === "node" && name.clusterId === clusterId && name.node === from;
	if (isItself) return null;
	return refusal(
		`${nodeId} does not accept the certificate of ${from}: it is that of ${nameText(name)}`,
	);
}

/** Why the node that says `hello` is not let in; null when it is. */
export function refuseHello(
	hello: HelloFrame,
	{ self, incarnations, writeLevel }: PeerRules,
): Refusal | null {
	if (
		hello.oldestVersion > newestPeerVersion ||
		hello.newestVersion < oldestPeerVersion
	) {
		return {
			cause: "version",
			sentence: `${self.nodeId} speaks versions ${oldestPeerVersion} to ${newestPeerVersion} of the peer protocol, ${hello.from} speaks ${hello.oldestVersion} to ${hello.newestVersion}`,
		};
	}
	if (hello.clusterId !== self.clusterId) {
		return {
			cause: "cluster",
			sentence: `${self.nodeId} belongs to cluster ${self.clusterId}, ${hello.from} to ${hello.clusterId}`,
		};
	}
	if (hello.to !== self.nodeId) {
		return {
			cause: "target",
			sentence: `this is ${self.nodeId}, not ${hello.to}; the address in the configuration of ${hello.from} is wrong`,
		};
	}
	if (hello.from === self.nodeId) {
		return {
			cause: "own-name",
			sentence: `${self.nodeId} is the name of this node; another one calls itself the same`,
		};
	}
	const { level, release } = writeLevel();
	if (hello.levels.readsTo < level) {
		return {
			cause: "level",
			sentence: `this cluster writes level ${level} of the entry format, ${hello.from} reads up to ${hello.levels.readsTo}: it needs release ${release} or a later one`,
		};
	}
	return refuseIncarnation(hello.from, hello.incarnation, {
		self,
		incarnations,
	});
}

/** Why the node that answers a hello is not the one that was wanted; null when it is. */
export function refuseWelcome(
	welcome: WelcomeFrame,
	wanted: string,
	known: { self: PeerIdentity; incarnations: Incarnations },
): Refusal | null {
	const { version } = welcome;
	if (version < oldestPeerVersion || version > newestPeerVersion) {
		return {
			cause: "version",
			sentence: `${wanted} chose version ${version} of the peer protocol, which ${known.self.nodeId} does not speak`,
		};
	}
	if (welcome.nodeId !== wanted) {
		return {
			cause: "target",
			sentence: `the address of ${wanted} is that of ${welcome.nodeId}`,
		};
	}
	return refuseIncarnation(wanted, welcome.incarnation, known);
}

/**
 * A member with another incarnation has lost its disk, and with it its votes and what it acknowledged: counting on it
 * as the old one loses committed entries (P31). The first one met is the one that counts.
 */
function refuseIncarnation(
	nodeId: string,
	incarnation: string,
	{ self, incarnations }: { self: PeerIdentity; incarnations: Incarnations },
): Refusal | null {
	const known = incarnations.known(nodeId);
	if (known === incarnation) return null;
	if (known !== null) {
		return {
			cause: "incarnation",
			sentence: `${self.nodeId} knows ${nodeId} as incarnation ${known}, not ${incarnation}: its data directory is another one, and it must join as a new member`,
		};
	}
	incarnations.learn(nodeId, incarnation);
	return null;
}
