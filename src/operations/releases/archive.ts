import { OperatorError } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import {
	manifestName,
	parseManifest,
	type ReleaseManifest,
} from "./manifest.js";

const readTimeoutMs = 120_000;

/** What the archive of a release, a file of this machine, says of itself. Throws OperatorError "refused". */
export async function readArchive(
	local: Host,
	path: string,
): Promise<ReleaseManifest> {
	const { exitCode, stdout, stderr } = await local.run(
		["tar", "-xzOf", path, `./${manifestName}`],
		{ timeoutMs: readTimeoutMs },
	);
	if (exitCode === 0) return parseManifest(stdout, path);
	throw new OperatorError("refused", `${path} is no release`, {
		problems: [stderr.trim().split("\n")[0] ?? ""],
		state: "nothing was changed",
		next: "build one: raftctl release build --version 1.0.0 --app ./app.js --out app-1.0.0.tgz",
	});
}
