import type { Logger } from "pino";
import { Access } from "./admin/access/access.js";
import { Tokens } from "./admin/access/tokens.js";
import type { AdminSecurity } from "./admin/subject.js";
import type { NodeConfig } from "./config.js";
import type { PeerTransport } from "./peers/transport.js";
import type { Credentials } from "./tls/credentials.js";

/** What keeps strangers out: certificates, tokens, and who may call what. */
export interface Security extends AdminSecurity {
	/** Absent: plain TCP. */
	readonly transport: PeerTransport | undefined;
	/** Whether `reload` has anything to read. */
	readonly isReloadable: boolean;
	close(): void;
}

interface SecurityOptions {
	readonly config: NodeConfig;
	readonly logger: Logger;
	/** Monotonic milliseconds. */
	readonly nowMs: () => number;
}

/** Throws OperatorError "refused" for files that cannot be used. */
export async function openSecurity(
	options: SecurityOptions,
): Promise<Security> {
	const { config, logger } = options;
	const secured = await openTls(options);
	const credentials = secured?.credentials ?? null;
	let tokens: Tokens | null = null;
	try {
		tokens = openTokens(options);
	} catch (error) {
		credentials?.close();
		throw error;
	}
	const access = new Access({
		...{ clusterId: config.cluster.id, tls: credentials !== null, tokens },
		nowMs: options.nowMs,
		onRefused: seldom((reason, message, remote) =>
			logger.warn({ reason, remote }, `refused an admin call: ${message}`),
		),
	});
	return {
		...{ credentials, access, transport: secured?.transport },
		isReloadable: credentials !== null || tokens !== null,
		reload() {
			credentials?.reload();
			tokens?.reload();
		},
		close() {
			credentials?.close();
			tokens?.close();
		},
	};
}

/** Loaded where it is needed: most of the time that it takes is for TLS itself. */
async function openTls({ config, logger }: SecurityOptions): Promise<{
	readonly credentials: Credentials;
	readonly transport: PeerTransport;
} | null> {
	if (config.tls === undefined) return null;
	const [{ Credentials }, { tlsTransport }] = await Promise.all([
		import("./tls/credentials.js"),
		import("./peers/tls-transport.js"),
	]);
	const credentials = new Credentials({
		files: config.tls,
		self: { clusterId: config.cluster.id, nodeId: config.node },
		onReload: ({ leaf, authorities }) =>
			logger.info({ leaf, authorities }, "other certificates are in use now"),
		onFault: (fault) =>
			logger.error(`goes on with the certificates that it had: ${fault}`),
	});
	const { expiresAtMs } = credentials.material.leaf;
	if (expiresAtMs <= Date.now())
		logger.error(
			`the certificate of this node expired on ${new Date(expiresAtMs).toISOString()}: others refuse it until raftctl certs renew has put another in its place`,
		);
	return { credentials, transport: tlsTransport(credentials) };
}

function openTokens({ config, logger }: SecurityOptions): Tokens | null {
	const path = config.admin.tokens;
	if (path === undefined) return null;
	return new Tokens({
		path,
		onFault: (fault) =>
			logger.error(`goes on with the tokens that it had: ${fault}`),
	});
}

/** The first, second, fourth and so on: whoever tries again and again must not fill the disk. */
function seldom<Arguments extends unknown[]>(
	say: (...words: Arguments) => void,
): (...words: Arguments) => void {
	let count = 0;
	return (...words) => {
		count++;
		if (Number.isInteger(Math.log2(count))) say(...words);
	};
}
