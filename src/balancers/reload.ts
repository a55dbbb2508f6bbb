import { OperatorError } from "../errors.js";
import type { Host } from "../hosts/host.js";
import { runPrivileged } from "./privilege.js";

interface Reload {
	/** The cluster file's own words, run as they are; null for systemctl. */
	readonly argv: readonly string[] | null;
	readonly unit: string;
	readonly signal: AbortSignal | undefined;
}

/** Has a balancer's program read its configuration again. Throws OperatorError "unreachable" when it does not. */
export async function reloadOn(
	host: Host,
	{ argv, unit, signal }: Reload,
): Promise<void> {
	const wanted = argv ?? ["systemctl", "reload", unit];
	const { exitCode, stderr, stdout } = await runPrivileged(host, wanted, {
		plain: argv !== null,
		signal,
	});
	if (exitCode === 0) return;
	const said = (stderr.trim() || stdout.trim()).split("\n").at(-1);
	throw new OperatorError(
		"unreachable",
		`${unit} on ${host.name} could not be reloaded: ${said || `exit code ${exitCode}`}`,
		{
			node: host.name,
			state: "it goes on with what it had",
			next: `look at it there: systemctl status ${unit}`,
		},
	);
}
