import { setTimeout as sleep } from "node:timers/promises";
import type { Inventory, NginxBalancerEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import { runPrivileged } from "../privilege.js";
import { reloadOn } from "../reload.js";
import { type Replaced, replaceFile } from "../replace-file.js";
import { unguard } from "./lease.js";
import { lookScript, parseRunning, type Running } from "./processes.js";
import { noSteering, renderFile, type Steering, steeringIn } from "./render.js";

/** nginx on one host: its file, its processes, its reload. */

export const unit = "nginx";

export const lookLimitMs = 15_000;
const newWorkersLimitMs = 15_000;
const pollMs = 100;
/** Each reload leaves workers behind that serve what was connected; more of them than this eat the machine. */
const leavingMax = 32;

/** Null when nginx does not run there. */
export async function running(
	host: Host,
	{ pid }: NginxBalancerEntry,
	signal?: AbortSignal,
): Promise<Running | null> {
	const { stdout } = await host.run(["sh", "-c", lookScript, "raftctl", pid], {
		timeoutMs: lookLimitMs,
		...(signal === undefined ? {} : { signal }),
	});
	return parseRunning(stdout);
}

/** How the file on the host is steered. Throws OperatorError "refused" where it is not what raftctl would have written. */
export async function steeringOn(
	host: Host,
	entry: NginxBalancerEntry,
	inventory: Inventory,
): Promise<Steering> {
	const found = await host.read(entry.config);
	const text = found === null ? "" : Buffer.from(found).toString("utf8");
	const steering = steeringIn(text);
	if (steering !== null && renderFile(inventory, entry, steering) === text)
		return steering;
	throw new OperatorError(
		"refused",
		found === null
			? `there is no ${entry.config} on ${host.name}`
			: `${entry.config} on ${host.name} is not as the cluster file has it`,
		{
			node: host.name,
			state: "nothing was changed",
			next: "raftctl balancer apply",
		},
	);
}

/** Puts the file in place and has nginx judge it there; what it refuses is taken back. */
export async function writeOn(
	host: Host,
	entry: NginxBalancerEntry,
	wish: { readonly text: string; readonly signal: AbortSignal | undefined },
): Promise<Replaced> {
	const { text: content, signal } = wish;
	const replaced = await replaceFile(host, {
		...{ path: entry.config, content, signal },
		// A file that is included cannot be judged by itself.
		validate: async () => undefined,
	});
	const fault = await faultOn(host, entry, signal);
	if (fault === null) return replaced;
	await replaced.undo();
	throw new OperatorError(
		"refused",
		`nginx on ${host.name} would not take the new ${entry.config}: ${fault}`,
		{
			node: host.name,
			state: "the file is as it was",
			next: "raftctl balancer render shows what raftctl would write",
		},
	);
}

/** Brings the file up to date, with nobody steered; null when it is so already. */
export async function writePlain(
	host: Host,
	entry: NginxBalancerEntry,
	wish: {
		readonly inventory: Inventory;
		readonly signal: AbortSignal | undefined;
	},
): Promise<Replaced | null> {
	const { inventory, signal } = wish;
	// A guard that still sleeps would put back what was there when it was set.
	await unguard(host, inventory.name);
	const text = renderFile(inventory, entry, noSteering);
	const found = await host.read(entry.config);
	if (found !== null && Buffer.from(found).toString("utf8") === text)
		return null;
	return writeOn(host, entry, { text, signal });
}

/** What nginx finds wrong with its configuration as it lies there; null when it would take it. */
export async function faultOn(
	host: Host,
	{ main }: NginxBalancerEntry,
	signal?: AbortSignal,
): Promise<string | null> {
	const argv = ["/usr/sbin/nginx", "-t", "-q", "-c", main];
	const { exitCode, stderr } = await runPrivileged(host, argv, { signal });
	if (exitCode === 0) return null;
	if (exitCode === 127) return `nginx is not installed on ${host.name}`;
	const [first = ""] = stderr
		.split("\n")
		.filter((line) => line.includes("[emerg]"));
	return first.replace(/^nginx: \[emerg\] /, "") || stderr.trim();
}

/** Has nginx read its file, and waits until no worker from before takes new connections. */
export async function reloadNginx(
	host: Host,
	entry: NginxBalancerEntry,
	signal: AbortSignal | undefined,
): Promise<void> {
	const before = await running(host, entry, signal);
	if (before === null) throw notRunning(host, entry);
	if (before.leaving.length >= leavingMax)
		throw new OperatorError(
			"refused",
			`nginx on ${host.name} has ${before.leaving.length} workers of earlier reloads that serve old connections still`,
			{
				node: host.name,
				state: "it was not reloaded once more",
				next: "wait until those connections have ended, or end them: worker_shutdown_timeout",
			},
		);
	await reloadOn(host, { argv: entry.reload, unit, signal });
	const deadline = performance.now() + newWorkersLimitMs;
	for (;;) {
		const now = await running(host, entry, signal);
		if (now !== null && isFresh(now, before)) return;
		if (performance.now() > deadline)
			throw new OperatorError(
				"timeout",
				`nginx on ${host.name} did not take its new configuration within ${newWorkersLimitMs / 1000} s`,
				{
					node: host.name,
					state: "it goes on with the old one",
					next: "look at its error log",
				},
			);
		await sleep(pollMs);
		signal?.throwIfAborted();
	}
}

function isFresh(now: Running, before: Running): boolean {
	return (
		now.workers.length > 0 &&
		!now.workers.some((pid) => before.workers.includes(pid))
	);
}

export function notRunning(
	host: Host,
	{ pid }: NginxBalancerEntry,
): OperatorError {
	return new OperatorError(
		"unreachable",
		`nginx does not run on ${host.name}: ${pid} names no process`,
		{
			node: host.name,
			state: "nothing was changed",
			next: "start it there: systemctl start nginx; or name its pid file in balancer.pid",
		},
	);
}
