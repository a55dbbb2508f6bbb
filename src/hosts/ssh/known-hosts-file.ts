import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { OperatorError } from "../../errors.js";
import {
	type HostName,
	type KnownHost,
	parseKnownHosts,
	writtenLine,
} from "./known-hosts.js";

/**
 * What these files know; one that is not there knows nothing. Throws OperatorError "unreachable" for one that cannot be
 * read: it may hold the line that says "revoked".
 */
export async function readKnownHosts(
	files: readonly string[],
): Promise<readonly KnownHost[]> {
	const read = await Promise.all(
		files.map(async (file) => {
			try {
				return parseKnownHosts(await readFile(file, "utf8"), file);
			} catch (cause) {
				if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
				throw new OperatorError("unreachable", `${file} cannot be read`, {
					state: "no host was reached: whether its key is known is not known",
					next: `make it readable: chmod 600 ${file}`,
					cause,
				});
			}
		}),
	);
	return read.flat();
}

/** One write, so that two who add at once do not mix their lines. */
export async function addKnownHost(
	file: string,
	name: HostName,
	key: Buffer,
): Promise<void> {
	await mkdir(dirname(file), { recursive: true, mode: 0o700 });
	const before = await readFile(file, "utf8").catch(() => "");
	const lineEnd = before === "" || before.endsWith("\n") ? "" : "\n";
	await appendFile(file, `${lineEnd}${writtenLine(name, key)}`, {
		mode: 0o600,
	});
}
