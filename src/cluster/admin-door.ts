import {
	Agent,
	type ClientRequest,
	type RequestOptions,
	request,
} from "node:http";
import type * as https from "node:https";
import type { PeerCertificate } from "node:tls";
import { certificateName } from "../wire/certificate-names.js";
import type { NodeRef } from "./engine.js";

/** What an operator shows to nodes, and whom he believes. */
export interface OperatorCredentials {
	readonly clusterId: string;
	/** Asked for every call: certificates may change while an operation runs. PEM texts. */
	current(): OperatorMaterial;
}

export interface OperatorMaterial {
	/** The authorities whose nodes are believed. */
	readonly ca: string;
	/** Certificate and key, in whichever is needed; null for none. */
	readonly identity: string | null;
	/** Sent instead of, or beside, a certificate; null for none. */
	readonly token: string | null;
}

/** How calls reach a node's admin port: in plain text, or over TLS to that node and no other. */
export interface AdminDoor {
	/** Not sent yet. */
	open(node: NodeRef, options: DoorOptions): Promise<ClientRequest>;
	close(): void;
}

type DoorOptions = Omit<RequestOptions, "agent"> & {
	readonly path: string;
	/** A connection of its own, where others must not wait behind it. */
	readonly alone?: boolean;
};

const maxSockets = 8;

export function adminDoor(credentials: OperatorCredentials | null): AdminDoor {
	return credentials === null ? plainDoor() : secureDoor(credentials);
}

function plainDoor(): AdminDoor {
	const kept = new Agent({ keepAlive: true, maxSockets });
	return {
		open: async (node, { alone = false, ...options }) =>
			request(`http://${node.admin}${options.path}`, {
				...options,
				agent: alone ? false : kept,
			}),
		close: () => kept.destroy(),
	};
}

function secureDoor(credentials: OperatorCredentials): AdminDoor {
	let kept: https.Agent | null = null;
	return {
		async open(node, { alone = false, ...options }) {
			const https = await import("node:https");
			// One that is resumed would be believed without a look at its name.
			kept ??= new https.Agent({
				...{ keepAlive: true, maxSockets, maxCachedSessions: 0 },
			});
			const { ca, identity, token } = credentials.current();
			return https.request(`https://${node.admin}${options.path}`, {
				...options,
				agent: alone ? false : kept,
				ca,
				...(identity === null ? {} : { cert: identity, key: identity }),
				headers: {
					...(options.headers as object),
					...(token === null ? {} : { authorization: `Bearer ${token}` }),
				},
				// Connections are kept by this name, too: each is to one node.
				servername: node.id,
				checkServerIdentity: (_host, certificate) =>
					strangerAt(certificate, credentials.clusterId, node),
			});
		},
		close: () => kept?.destroy(),
	};
}

function strangerAt(
	{ subjectaltname }: PeerCertificate,
	clusterId: string,
	{ id }: NodeRef,
): Error | undefined {
	const name = certificateName(subjectaltname);
	const isWanted =
		name?.kind === "node" && name.clusterId === clusterId && name.node === id;
	if (isWanted) return undefined;
	const shown =
		name?.kind === "node"
			? `that of node ${name.node} of cluster ${name.clusterId}`
			: "of no node";
	return new Error(
		`the certificate that is shown there is ${shown}, not that of ${id} of cluster ${clusterId}`,
	);
}

/** What a failed handshake means; null for any other error. */
export function handshakeFault(error: unknown): string | null {
	const { code = "" } = (error ?? {}) as NodeJS.ErrnoException;
	return words[code] ?? null;
}

const foreign =
	"its certificate is of an authority that this raftctl does not trust";
const noTls =
	"it speaks plain text there, and the cluster file says tls; start it again for its configuration to hold";

const words: Readonly<Record<string, string>> = {
	CERT_HAS_EXPIRED: "its certificate has expired",
	CERT_NOT_YET_VALID:
		"its certificate does not hold yet; one of the two clocks is wrong",
	SELF_SIGNED_CERT_IN_CHAIN: foreign,
	DEPTH_ZERO_SELF_SIGNED_CERT: foreign,
	UNABLE_TO_GET_ISSUER_CERT: foreign,
	UNABLE_TO_GET_ISSUER_CERT_LOCALLY: foreign,
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: foreign,
	ERR_SSL_WRONG_VERSION_NUMBER: noTls,
	ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
};
