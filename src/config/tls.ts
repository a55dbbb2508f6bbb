import { isIP } from "node:net";
import { resolve } from "node:path";
import { z } from "zod";
import { duration } from "./duration.js";
import type { TlsEntry } from "./inventory.js";

const path = z.string().min(1).max(4_096);

const hostName =
	/^(?=.{1,253}$)(\*\.)?[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/;

const hostNameOrAddress = z
	.string()
	.refine(
		(text) => isIP(text) > 0 || hostName.test(text),
		"must be a host name or an IP address, without a port",
	);

const hourMs = 3_600_000;
const tenYearsMs = 10 * 8_760 * hourMs;

/** Its presence means TLS on every port of every node. */
export const tls = z.strictObject({
	directory: path
		.optional()
		.describe(
			"Where the authority, its key and all certificates lie on the operator's machine. By default .raftctl/<name>/certs beside this file.",
		),
	role: z
		.enum(["observer", "operator", "admin"])
		.default("admin")
		.describe("Whose certificate raftctl shows to nodes."),
	token: path
		.optional()
		.describe(
			"A file with a token to send instead of a certificate, on the operator's machine.",
		),
	names: z
		.array(hostNameOrAddress)
		.max(100)
		.default([])
		.describe(
			"More host names and addresses under which applications reach the nodes, for their certificates.",
		),
	clientCertificates: z
		.enum(["none", "required"])
		.default("none")
		.describe("Whether applications must show a certificate, too."),
	lifetime: duration({ minMs: hourMs, maxMs: tenYearsMs })
		.prefault("8760h")
		.describe("For how long certificates of nodes and operators hold."),
});

/** Null for none. */
export function resolveTls(
	written: z.output<typeof tls> | undefined,
	place: { readonly directory: string; readonly state: string },
): TlsEntry | null {
	if (written === undefined) return null;
	const { directory, role, token, names, clientCertificates } = written;
	return {
		directory:
			directory === undefined
				? resolve(place.state, "certs")
				: resolve(place.directory, directory),
		tokenFile: token === undefined ? null : resolve(place.directory, token),
		...{ role, names, clientCertificates },
		lifetimeMs: written.lifetime,
	};
}
