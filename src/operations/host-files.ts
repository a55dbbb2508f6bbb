import { isOfFullDisk, OperatorError, roomOn } from "../errors.js";
import type { Host } from "../hosts/host.js";

/** A look, or one rename within a directory. */
export const fileTimeoutMs = 30_000;

/** Copying or removing a large state takes as long as its disk does. */
const stateTimeoutMs = 3_600_000;

/** Whose files they are, and what state things are in when it fails. */
interface Doing {
	/** A node, or a host. */
	readonly about: string;
	readonly state?: string;
}

/** What lies in a directory; empty where there is none, and where nobody may look. */
export async function namesIn(
	host: Host,
	directory: string,
): Promise<readonly string[]> {
	const { exitCode, stdout } = await host.run(["ls", "-A", directory], {
		timeoutMs: fileTimeoutMs,
	});
	if (exitCode !== 0) return [];
	return stdout.split("\n").filter((name) => name.trim() !== "");
}

/** Whether there is such a file, or a directory with anything in it. */
export async function isThere(host: Host, path: string): Promise<boolean> {
	return (await namesIn(host, path)).length > 0;
}

/** Throws OperatorError "partial" with what the program said; of a full disk it says that room is to be made. */
export async function doOn(
	host: Host,
	argv: readonly string[],
	{ about, state }: Doing,
): Promise<void> {
	const timeoutMs = argv[0] === "mv" ? fileTimeoutMs : stateTimeoutMs;
	const { exitCode, stderr } = await host.run(argv, { timeoutMs });
	if (exitCode === 0) return;
	const said = stderr.trim();
	const what = `${argv.join(" ")} ended with ${exitCode}: ${said}`;
	throw new OperatorError(
		"partial",
		isOfFullDisk(said) ? `a disk of ${host.name} is full: ${what}` : what,
		{
			node: about,
			...(state === undefined ? {} : { state }),
			...(isOfFullDisk(said) ? { remedy: roomOn(host.name) } : {}),
		},
	);
}
