import type { Server } from "node:net";
import { OperatorError } from "../errors.js";

/** Resolves once `server` listens on `address` ("host:port"); rejects with the sentence of `listenError`. */
export function listen(
	server: Server,
	address: string,
	key: string,
): Promise<void> {
	const { host, port } = splitAddress(address);
	return new Promise((resolve, reject) => {
		const failed = (error: Error) => reject(listenError(error, address, key));
		server.once("error", failed);
		server.listen({ host, port }, () => {
			server.off("error", failed);
			resolve();
		});
	});
}

/**
 * What to tell the person whose configuration asked to listen on `address` under `key` ("listen.peer"). Errors that
 * are not about the address come back as they are.
 */
export function listenError(
	error: unknown,
	address: string,
	key: string,
): unknown {
	const code = (error as NodeJS.ErrnoException | null)?.code ?? "";
	const reason = reasons[code];
	if (reason === undefined || error instanceof OperatorError) return error;
	return new OperatorError(
		"refused",
		`cannot listen on ${address} (${key}): ${reason}`,
		{
			state: "the node did not start",
			next: `free the port or change ${key} in the node's configuration; ss -ltnp shows who listens`,
			cause: error,
		},
	);
}

const reasons: Record<string, string> = {
	EADDRINUSE: "another process listens there",
	EACCES: "this user may not",
	EADDRNOTAVAIL: "this machine has no such address",
	ENOTFOUND: "the name does not resolve",
	EAI_AGAIN: "the name does not resolve now",
};

/** host and port of "host:port" or "[v6]:port". */
export function splitAddress(address: string): { host: string; port: number } {
	const colon = address.lastIndexOf(":");
	const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
	return { host, port: Number(address.slice(colon + 1)) };
}
