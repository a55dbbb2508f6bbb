import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { type HostRole, partsOf, portsOf } from "./hosts.js";
import { type HostLook, lookScript, parseLook } from "./look-script.js";
import { balancerRights, nodeRights } from "./rights.js";

/** A host with what was found there, or why nothing was. */
export interface Looked {
	readonly role: HostRole;
	readonly seen: Seen | null;
	/** Null when it was looked at. */
	readonly error: unknown;
}

export interface Seen extends HostLook {
	/** How long a step takes that does next to nothing. */
	readonly stepMs: number;
	/** How far its clock is ahead of this machine's. */
	readonly aheadMs: number;
	/** How far that may be wrong, either way. */
	readonly aheadWithinMs: number;
}

const timeTimeoutMs = 15_000;
const lookTimeoutMs = 60_000;

/** Looks at a host; never throws but for the signal. */
export async function lookAt(
	context: OperationContext,
	role: HostRole,
): Promise<Looked> {
	try {
		return { role, seen: await see(context, role), error: null };
	} catch (error) {
		context.signal.throwIfAborted();
		return { role, seen: null, error };
	}
}

async function see(
	{ inventory, machines, clock, signal }: OperationContext,
	{ name, nodes, front }: HostRole,
): Promise<Seen> {
	const host = await machines.host(name, "login");
	const began = clock.now();
	const sentAtMs = clock.unixMs();
	const { stdout: said } = await host.run(
		["sh", "-c", 'date +%s%N; id -un; [ "$(uname -s)" = Linux ]'],
		{ timeoutMs: timeTimeoutMs, signal },
	);
	const stepMs = clock.now() - began;
	const [time = "", login = ""] = said.split("\n");
	const ports = nodes
		.flatMap(portsOf)
		.map(({ address }) => partsOf(address).port);
	const rights = [
		...(nodes.length === 0
			? []
			: nodeRights(inventory, { login, nodes: nodes.map(({ id }) => id) })),
		...(front === null ? [] : balancerRights(front)),
	];
	const { exitCode, stdout, stderr } = await host.run(
		[
			...["sh", "-c", lookScript, "look", inventory.deploy.user],
			inventory.deploy.state,
			ports.map(hexadecimal).join(" "),
			...rights.map(
				({ words, unlessWritable }) => `${unlessWritable ?? ""}|${words}`,
			),
		],
		{ timeoutMs: lookTimeoutMs, signal },
	);
	if (exitCode !== 0)
		throw new OperatorError(
			"unexpected",
			`it could not be looked at: ${stderr.trim().split("\n").at(-1) || `exit code ${exitCode}`}`,
			{ node: name, next: "it must be a Linux machine with systemd" },
		);
	return {
		...parseLook(stdout),
		...{ stepMs, aheadWithinMs: stepMs / 2 },
		aheadMs: Number(time) / 1e6 - (sentAtMs + stepMs / 2),
	};
}

/** As /proc/net/tcp has it. */
function hexadecimal(port: number): string {
	return port.toString(16).toUpperCase().padStart(4, "0");
}
