import { localHost } from "../../hosts/local.js";
import type { Programs } from "../context.js";
import { readArchive } from "./archive.js";
import { type BuildReport, type BuildWish, buildRelease } from "./build.js";
import type { ReleaseManifest } from "./manifest.js";

/** Makes a release on this machine; no cluster is needed. */
export function buildHere(
	programs: Programs,
	wish: BuildWish,
): Promise<BuildReport> {
	return buildRelease({ local: localHost(), programs }, wish);
}

/** What the archive says of itself. */
export function inspectHere(path: string): Promise<ReleaseManifest> {
	return readArchive(localHost(), path);
}
