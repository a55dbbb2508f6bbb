import packageJson from "../../package.json" with { type: "json" };

/** The version of raftd, as the package says it. */
export const release: string = packageJson.version;

/** What others are told that this node runs: a team counts its releases of daemon and application together. */
export function releaseOf(config: {
	readonly release?: string | undefined;
}): string {
	return config.release ?? release;
}
