import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { OperatorError, reasonOf } from "../errors.js";
import type { NodeConfig } from "./config.js";

/** What a node runs whose raftd lies in a release (docs/upgrades.md). */
export interface OwnRelease {
	readonly version: string;
	/** The module of its machine, absolute; left out for the bundled one. */
	readonly app?: string;
}

/** Where a release has the package that the daemon is of, and what tells it from other directories with a release.json. */
const packageInside = "/node_modules/raftctl/dist/";
const manifestName = "release.json";
const sumsName = "files.sha256";

/** Other fields are for raftctl. */
const manifestSchema = z.object({
	version: z.string().min(1),
	app: z.string().min(1).nullable(),
});

/**
 * The release that the program at `programUrl`, its links resolved, lies in; null where it lies in none. What is started is
 * decided by one rename, that of the link to the release. node.yaml is another file, written before or after it: a node that
 * is started in between must not load one release's application into another's daemon. Throws OperatorError "refused" for a
 * release that does not say what it is.
 */
export async function ownRelease(
	programUrl: string,
): Promise<OwnRelease | null> {
	const program = fileURLToPath(programUrl);
	const at = program.lastIndexOf(packageInside);
	if (at === -1) return null;
	const root = program.slice(0, at);
	if (!(await isThere(join(root, sumsName)))) return null;
	const path = join(root, manifestName);
	try {
		const { version, app } = manifestSchema.parse(
			JSON.parse(await readFile(path, "utf8")),
		);
		return { version, ...(app === null ? {} : { app: join(root, app) }) };
	} catch (cause) {
		throw new OperatorError(
			"refused",
			`${path} does not say what this release is: ${reasonOf(cause)}`,
			{
				state: "nothing was changed; the node did not start",
				next: `remove ${root}, then bring it again: raftctl upgrade --to PATH`,
				cause,
			},
		);
	}
}

/** What a node that is configured so runs; `passedOver` where node.yaml names another release than that of the program. */
export async function withOwnRelease(
	config: NodeConfig,
	programUrl: string,
): Promise<{
	readonly config: NodeConfig;
	readonly passedOver: {
		readonly named: string | undefined;
		readonly own: string;
	} | null;
}> {
	const own = await ownRelease(programUrl);
	if (own === null) return { config, passedOver: null };
	const { app: _, ...others } = config;
	const named = config.release;
	return {
		config: {
			...{ ...others, release: own.version },
			...(own.app === undefined ? {} : { app: own.app }),
		},
		passedOver: own.version === named ? null : { named, own: own.version },
	};
}

async function isThere(path: string): Promise<boolean> {
	return stat(path).then(
		() => true,
		() => false,
	);
}
