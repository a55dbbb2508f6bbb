import { OperatorError } from "../errors.js";
import type { Host, RunResult } from "../hosts/host.js";

const commandLimitMs = 30_000;

/**
 * Runs programs that need root: as they are where the account is root, else by sudo, which must not ask for a password.
 * `options.plain` is for what this account may do by itself.
 */
export async function runPrivileged(
	host: Host,
	argv: readonly string[],
	options: {
		readonly plain?: boolean;
		readonly signal: AbortSignal | undefined;
	},
): Promise<RunResult> {
	const { signal, plain = false } = options;
	const limits = {
		timeoutMs: commandLimitMs,
		...(signal === undefined ? {} : { signal }),
	};
	if (plain || (await isRoot(host, limits))) return host.run(argv, limits);
	const result = await host.run(["sudo", "-n", ...argv], limits);
	if (result.exitCode === 0 || !isRefusal(result.stderr)) return result;
	throw new OperatorError(
		"refused",
		`this account may not run as root on ${host.name}: ${argv.join(" ")}`,
		{
			node: host.name,
			state: "nothing was changed by it",
			next: "allow it by a rule of sudo (docs/balancer.md)",
		},
	);
}

export async function isRoot(
	host: Host,
	limits: { readonly timeoutMs: number },
): Promise<boolean> {
	const { stdout } = await host.run(["id", "-u"], limits);
	return stdout.trim() === "0";
}

function isRefusal(stderr: string): boolean {
	return /^sudo: |a password is required|not allowed to execute/m.test(stderr);
}
