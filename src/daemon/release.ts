import packageJson from "../../package.json" with { type: "json" };

/** The version of raftd, as the package says it. */
export const release: string = packageJson.version;
