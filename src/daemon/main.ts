#!/usr/bin/env node
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { errorText, exitCodes, OperatorError, reasonOf } from "../errors.js";
import { offlineWords } from "./doctor/words.js";
import type { Log } from "./log.js";
import type { RunningNode } from "./node.js";
import { fileWords } from "./offline/words.js";
import { release } from "./release.js";

const usage = `raftd ${release}: a Raft node

  raftd --config node.yaml     run the node that the file describes
  raftd doctor --data-dir DIR  is this data directory whole? of a node that is down
  raftd dump --data-dir DIR    show the entries of its log, or one of its snapshots
  raftd replay --data-dir DIR  execute its log twice: does the machine come to the same?
  raftd inspect --data-dir DIR what such a node holds: term, indexes, members
  raftd machine                name and levels of the state machine that a node would run
  raftd snapshot inspect FILE  what a snapshot's file says of itself
  raftd snapshot verify FILE   check every byte of it, restore it, save it again and compare
  raftd snapshot export --data-dir DIR --out FILE    all that a node which is down holds, as a snapshot's file
  raftd snapshot restore FILE --config node.yaml     make the data directory of a node of a new cluster
  raftd --version
  raftd --help

  -c, --config FILE   the node's configuration; raftctl up writes it, docs/raftd.md explains it
      --app FILE      the module with the state machine; wins over app in the configuration

All but snapshot export and restore change nothing:
      --data-dir DIR  the node's data directory: data in its configuration
      --json          doctor, replay, inspect, machine, snapshot: the report for scripts
      --ndjson        dump: one JSON object a line
      --from INDEX, --to INDEX   dump: these entries only
      --snapshot INDEX           dump: the snapshot at that index instead of the log
      --out FILE                 snapshot export: where the file is to be; nothing is written over
      --scratch DIR              snapshot verify: room for a copy; by default the system's directory for such
      --index-bump N             snapshot restore: how far the log goes on behind the file's index; 1000000
      --end-with-stdin           inspect, snapshot: end at once, as by a kill, when standard input is closed

SIGHUP: read certificates, keys and tokens again.
SIGTERM or SIGINT: leave traffic, hand leadership over, stop. A second one: stop at once.
Exit codes: 0 stopped, 1 failed, 2 a mistake on the command line or in the configuration, 11 refused to start.
Of doctor: 0 healthy, 10 a start repairs it, 11 damaged or of a later release, 13 in use. Of replay: 0 the same, 11 not.
Of snapshot: 0 done, 11 damaged, foreign or refused, 13 in use.
`;

async function main(): Promise<void> {
	const [word, ...argv] = process.argv.slice(2);
	const run = withoutNode(word);
	if (run !== null) {
		if (argv.some((flag) => flag === "-h" || flag === "--help"))
			process.stdout.write(usage);
		else process.exitCode = await run(argv);
		return;
	}
	const { values } = parseArguments();
	if (values.version || values.help) {
		process.stdout.write(values.version ? `${release}\n` : usage);
		return;
	}
	if (values.config === undefined) {
		throw new OperatorError("usage", "no configuration is given", {
			next: "raftd --config node.yaml",
		});
	}
	await runNode(resolve(values.config), values.app);
}

/** Runs a command that needs files alone; resolves with the exit code. Null for a word that is none. */
function withoutNode(
	word: string | undefined,
): ((argv: readonly string[]) => Promise<number>) | null {
	const looking = offlineWords.find((each) => each === word);
	if (looking !== undefined)
		return async (argv) => {
			const { runOffline } = await import("./doctor/command-line.js");
			return await runOffline(looking, argv, process);
		};
	if (word === "machine")
		return async (argv) => {
			const { describeMachine } = await import("./describe-machine.js");
			return await describeMachine(argv, process);
		};
	const onFiles = fileWords.find((each) => each === word);
	if (onFiles === undefined) return null;
	return async (argv) => {
		const { runWithFiles } = await import("./offline/command-line.js");
		return await runWithFiles(onFiles, argv, process);
	};
}

function parseArguments() {
	try {
		return parseArgs({
			options: {
				config: { type: "string", short: "c" },
				app: { type: "string" },
				version: { type: "boolean", default: false },
				help: { type: "boolean", short: "h", default: false },
			},
		});
	} catch (cause) {
		throw new OperatorError("usage", reasonOf(cause), {
			next: "raftd --help",
			cause,
		});
	}
}

async function runNode(
	configPath: string,
	app: string | undefined,
): Promise<void> {
	const { config, passedOver } = await configurationOf(configPath, app);
	const [{ openLog }, { startNode }, { openSystemd }] = await Promise.all([
		import("./log.js"),
		import("./node.js"),
		import("./systemd.js"),
	]);
	const log = openLog(config.log.level);
	const { logger } = log;
	if (passedOver !== null)
		logger.warn(
			passedOver,
			"node.yaml names another release than the one that was started, which counts",
		);
	const processId = randomUUID();
	const systemd = openSystemd({
		socket: process.env.NOTIFY_SOCKET,
		watchdogUsec: process.env.WATCHDOG_USEC,
		watchdogPid: process.env.WATCHDOG_PID,
		path: process.env.PATH,
		pid: process.pid,
		onFailure: (error) => logger.warn({ err: error }, "systemd was not told"),
	});
	const onFatal = endWhenBroken(log);
	const started = endOnSignals(log, () => systemd.stopping());
	logger.info(
		{
			release,
			nodeJs: process.version,
			pid: process.pid,
			processId,
			configPath,
			// Who may write to the bucket is nobody's business who reads logs.
			...{ ...config, s3: undefined },
		},
		`raftd ${release} starts ${config.node} of ${config.cluster.name}`,
	);
	const node = await startNode({ config, logger, processId, onFatal }).catch(
		(error: unknown) => {
			log.close();
			throw error;
		},
	);
	started(node);
	// Without anything to read, a terminal that goes still takes the process with it.
	if (node.reload !== null) process.on("SIGHUP", node.reload);
	logger.info({ afterMs: Math.round(performance.now()) }, "serving");
	systemd.ready(node.summary);
}

/** node.yaml, and what outranks it: the release that was started, and --app. */
async function configurationOf(path: string, app: string | undefined) {
	const [{ readNodeConfig }, { withOwnRelease }] = await Promise.all([
		import("./config.js"),
		import("./own-release.js"),
	]);
	const read = await readNodeConfig(path);
	const { config, passedOver } = await withOwnRelease(read, import.meta.url);
	if (app === undefined) return { config, passedOver };
	return { config: { ...config, app: resolve(app) }, passedOver };
}

/** After an error that nobody handled, nothing that the process believes can be relied upon: it never limps on. */
function endWhenBroken(log: Log): (error: unknown) => void {
	const end = (error: unknown) => {
		log.logger.fatal({ err: error }, `raftd fails: ${reasonOf(error)}`);
		exitAtOnce(log, exitCodes.unexpected);
	};
	process.on("uncaughtException", end);
	process.on("unhandledRejection", end);
	return end;
}

/** The first signal stops the node in order; the second, or one before the node runs, ends the process at once. */
function endOnSignals(
	log: Log,
	onStop: () => void,
): (node: RunningNode) => void {
	let node: RunningNode | null = null;
	const onSignal = (signal: "SIGTERM" | "SIGINT") => {
		log.logger.info({ signal }, node ? "stopping" : "stopped at once");
		if (node === null) {
			exitAtOnce(
				log,
				exitCodes[signal === "SIGINT" ? "interrupted" : "terminated"],
			);
		}
		const stopping = node;
		node = null;
		onStop();
		stopping.stop().then(
			(report) => {
				log.logger.info(report, "stopped");
				exit(log, 0);
			},
			(error) => {
				log.logger.error({ err: error }, "stopped, but not in order");
				exit(log, exitCodes.unexpected);
			},
		);
	};
	process.on("SIGTERM", onSignal);
	process.on("SIGINT", onSignal);
	return (running) => {
		node = running;
	};
}

/** Nothing may happen any more: what is left to say is written, whatever the order. */
function exitAtOnce(log: Log, code: number): never {
	log.close();
	process.exit(code);
}

function exit(log: Log, code: number): void {
	log.end(() => process.exit(code));
}

main().catch((error: unknown) => {
	if (error instanceof OperatorError) {
		process.stderr.write(errorText(error));
		process.exit(error.exitCode);
	}
	process.stderr.write(`raftd: ${(error as Error)?.stack ?? error}\n`);
	process.exit(exitCodes.unexpected);
});
