#!/usr/bin/env node
import { type Logger, pino } from "pino";
import { errorText, exitCodes, OperatorError, reasonOf } from "../../errors.js";
import { readEmbeddedConfig } from "./config-file.js";
import { type Diagnostics, startEmbedded } from "./server.js";

/** `embedded/main.js <config.json>`: the balancer of a local cluster, a process of its own. */
async function main(): Promise<void> {
	const [path, ...rest] = process.argv.slice(2);
	if (path === undefined || rest.length > 0) {
		throw new OperatorError(
			"usage",
			"one argument is needed, the configuration",
			{
				next: "node embedded/main.js balancer.json",
			},
		);
	}
	const config = await readEmbeddedConfig(path);
	const log = pino(
		{ base: { balancer: config.cluster.name } },
		pino.destination({ fd: 1, sync: true }),
	);
	const server = await startEmbedded(config, diagnosticsOf(log), async () => {
		const { backends } = await readEmbeddedConfig(path);
		log.info({ backends }, "other nodes");
		return { backends };
	});
	log.info({ pid: process.pid, ...config }, "listening");
	let stopping = false;
	const stop = (signal: NodeJS.Signals) => {
		if (stopping) {
			log.warn({ signal }, "stopped at once");
			process.exit(exitCodes.terminated);
		}
		stopping = true;
		log.info({ signal }, "stopping: no new connections");
		server.close().then((report) => {
			log.info(report, "stopped");
			process.exit(0);
		});
	};
	process.on("SIGTERM", stop).on("SIGINT", stop);
}

function diagnosticsOf(log: Logger): Diagnostics {
	let failures = 0;
	// Clients that try again and again must not fill the disk.
	const seldom = (fields: object, message: string) => {
		failures++;
		if (Number.isInteger(Math.log2(failures)))
			log.warn({ ...fields, failures }, message);
	};
	return {
		onBackend: (status) =>
			log[status.state === "down" ? "warn" : "info"](
				status,
				`${status.node} is ${status.state}`,
			),
		onUnplaced: () => seldom({}, "a connection found no node and was closed"),
		onLeft: (node, connections) =>
			log.warn({ node, connections }, "a silent node's connections were reset"),
		onAcceptError: (err) => seldom({ err }, "a connection was not accepted"),
	};
}

main().catch((error: unknown) => {
	const told =
		error instanceof OperatorError
			? error
			: new OperatorError("unexpected", reasonOf(error));
	process.stderr.write(errorText(told));
	process.exit(
		error instanceof OperatorError ? error.exitCode : exitCodes.unexpected,
	);
});
