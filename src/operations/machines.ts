import { dirname, join } from "node:path";
import type { Inventory } from "../config/inventory.js";
import { OperatorError } from "../errors.js";
import { localHost } from "../hosts/local.js";
import { localService } from "../hosts/local-service.js";
import type { SshHosts } from "../hosts/ssh/ssh-hosts.js";
import type { SshSurroundings } from "../hosts/ssh/surroundings.js";
import { systemdService, unitOf } from "../hosts/systemd-service.js";
import type { Machines } from "./context.js";

interface OpenMachines extends Machines {
	/** The error that an operation ends with: of a host that cannot be reached, with all others of which that is so. */
	allOf(error: unknown): Promise<unknown>;
	close(): Promise<void>;
}

/**
 * This machine, where nodes are processes, and the hosts of the cluster file, where they are units of systemd and their
 * files belong to the account that the daemon runs under: what touches them is done as that account.
 */
export function openMachines(
	inventory: Inventory,
	surroundings: SshSurroundings,
): OpenMachines {
	const { stateDirectory, deploy } = inventory;
	const local = localHost();
	let opened: Promise<SshHosts> | null = null;
	const attempts = new Map<string, Promise<OperatorError | null>>();
	const remote = async (name: string, account: string | null) => {
		opened ??= openSsh(inventory, surroundings);
		return (await opened).host(name, account);
	};
	return {
		async host(name, as = "daemon") {
			if (name === local.name) return local;
			const host = await remote(name, as === "daemon" ? deploy.user : null);
			const reaching = host.reach();
			attempts.set(name, failureOf(reaching));
			await reaching;
			return host;
		},
		async allOf(error) {
			const isSilence =
				error instanceof OperatorError && error.kind === "unreachable";
			if (!isSilence) return error;
			const failures = await Promise.all(attempts.values());
			return together(
				error,
				failures.filter((failure) => failure !== null),
			);
		},
		async service({ host, name, argv }) {
			if (host !== local.name) {
				requireNode(inventory, host, name);
				const unit = unitOf(inventory.name, name);
				return systemdService({ name, unit, host: await remote(host, null) });
			}
			return localService({
				name,
				argv,
				pidFile: join(stateDirectory, name, "pid"),
				logFile: join(stateDirectory, name, "log"),
				workingDirectory: dirname(stateDirectory),
			});
		},
		async close() {
			await local.close();
			await (await opened)?.close();
		},
	};
}

async function failureOf(
	reaching: Promise<void>,
): Promise<OperatorError | null> {
	try {
		await reaching;
		return null;
	} catch (error) {
		return error instanceof OperatorError ? error : null;
	}
}

/** People want to know of every dead host at once, not of the next one after each attempt. */
function together(error: unknown, failures: readonly OperatorError[]): unknown {
	const one = failures.find((failure) => failure === error);
	if (one === undefined || failures.length < 2) return error;
	return new OperatorError(
		"unreachable",
		`${failures.length} hosts cannot be worked on`,
		{
			problems: failures.flatMap(({ message, problems, next }) => [
				next === undefined ? message : `${message}; ${next}`,
				...problems.map((problem) => `  ${problem}`),
			]),
			...(one.state === undefined ? {} : { state: one.state }),
			remedy: "mend them",
			cause: error,
		},
	);
}

/** Imported here: it costs every start of raftctl 90 ms otherwise, and a cluster on this machine needs none of it. */
async function openSsh(
	inventory: Inventory,
	surroundings: SshSurroundings,
): Promise<SshHosts> {
	const { SshHosts } = await import("../hosts/ssh/ssh-hosts.js");
	return new SshHosts(inventory, surroundings);
}

/** What has no unit of its own there cannot be run there. */
function requireNode(inventory: Inventory, host: string, name: string): void {
	if (inventory.nodes.some(({ id }) => id === name)) return;
	throw new OperatorError(
		"config",
		`${name} is no node, and only nodes run on other hosts such as ${host}`,
		{ state: "nothing was touched" },
	);
}
