import { stat } from "node:fs/promises";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import {
	manifestName,
	parseManifest,
	type ReleaseManifest,
} from "./manifest.js";

const readTimeoutMs = 120_000;

const state = "nothing was changed";
const next =
	"build one: raftctl release build --version 1.0.0 --app ./app.js --out app-1.0.0.tgz";

/**
 * What the archive of a release, a file of this machine, says of itself. Throws OperatorError "usage" when there is no
 * such file, "refused" when it is no release.
 */
export async function readArchive(
	local: Host,
	path: string,
): Promise<ReleaseManifest> {
	await requireFile(path);
	const { exitCode, stdout, stderr } = await local.run(
		["tar", "-xzOf", path, `./${manifestName}`],
		{ timeoutMs: readTimeoutMs },
	);
	if (exitCode === 0) return parseManifest(stdout, path);
	throw new OperatorError("refused", `${path} is no release`, {
		problems: [stderr.trim().split("\n")[0] ?? ""],
		...{ state, next },
	});
}

/** tar would tell of what is missing in words about its children. */
async function requireFile(path: string): Promise<void> {
	const fault = await stat(path).then(
		(found) => (found.isFile() ? null : `${path} is not a regular file`),
		(error: NodeJS.ErrnoException) =>
			error.code === "ENOENT"
				? `there is no file ${path}`
				: `${path} cannot be read: ${reasonOf(error)}`,
	);
	if (fault !== null) throw new OperatorError("usage", fault, { state, next });
}
