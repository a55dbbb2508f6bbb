import { OperatorError } from "../../../src/errors.js";
import type { Lab } from "../lab.js";
import type { HostName } from "../names.js";
import type { ProgramOptions } from "../program.js";

const timeoutMs = 120_000;

/** As root on a machine, where anything but success is an error; gives back what it wrote. */
export async function inside(
	lab: Lab,
	host: HostName,
	argv: readonly string[],
	options: ProgramOptions = {},
): Promise<string> {
	const { exitCode, stdout, stderr } = await lab.exec(host, argv, {
		...{ timeoutMs, ...options },
	});
	if (exitCode === 0) return stdout;
	throw new OperatorError(
		"unexpected",
		`\`${argv.join(" ")}\` ended with ${exitCode} on ${host}`,
		{ state: `${stdout}\n${stderr}`.trim() },
	);
}
