import { OperatorError, reasonOf } from "../../errors.js";

export const manifestName = "release.json";
export const manifestFormat = 1;

/** What a release says of itself, in `release.json` at its top (docs/releases.md). */
export interface ReleaseManifest {
	readonly format: number;
	/** The team's own; names the directory on the hosts. */
	readonly version: string;
	/** Of the daemon inside. */
	readonly raftd: string;
	readonly machine: {
		readonly name: string;
		/** The levels of entries that it reads, first and last, and the one it writes. */
		readonly reads: readonly [number, number];
		readonly writes: number;
	};
	/** Of the module with the team's machine, inside; null for the bundled key-value machine. */
	readonly app: string | null;
	/** Of the Node.js inside; null where that of the host is used. */
	readonly runtime: {
		readonly node: string;
		readonly platform: string;
		readonly arch: string;
	} | null;
}

/** Where things lie in a release. The daemon lies where an application finds it under its name. */
export const releaseFiles = {
	daemon: "node_modules/raftctl/dist/src/daemon/main.js",
	package: "node_modules/raftctl",
	/** Starts the daemon with the Node.js of the release, or else with the host's. */
	program: "bin/raftd",
	app: "app",
	node: "runtime/node",
	/** Of every other file, as sha256sum writes and checks it. */
	sums: "files.sha256",
} as const;

const versionForm = /^[0-9A-Za-z][0-9A-Za-z._+-]{0,62}$/;

/** Null when it can be one: a directory is named by it, and people type it. */
export function versionFault(version: string): string | null {
	if (!versionForm.test(version))
		return `"${version}" is no version: 1 to 63 letters, digits, dots, dashes, pluses or underscores, beginning with a letter or digit`;
	return version.includes("..") ? `"${version}" has two dots in a row` : null;
}

/** Throws OperatorError "usage" with `state` when it can be none. */
export function requireVersion(version: string, state: string): void {
	const fault = versionFault(version);
	if (fault === null) return;
	const next = "give one as you count them, such as 1.4.0";
	throw new OperatorError("usage", fault, { state, next });
}

export function encodeManifest(manifest: ReleaseManifest): string {
	return `${JSON.stringify(manifest, null, 2)}\n`;
}

/** Throws OperatorError "refused" that lists every fault. `where`: the file that it was read from. */
export function parseManifest(text: string, where: string): ReleaseManifest {
	const faults: string[] = [];
	const read = readJson(text, faults);
	if (read !== null && faults.length === 0) faults.push(...faultsOf(read));
	if (read !== null && faults.length === 0)
		return read as unknown as ReleaseManifest;
	throw new OperatorError("refused", `${where} is no manifest of a release`, {
		problems: faults,
		state: "nothing was changed",
		next: "build the release again: raftctl release build",
	});
}

type Fields = Readonly<Record<string, unknown>>;

function readJson(text: string, faults: string[]): Fields | null {
	try {
		const json: unknown = JSON.parse(text);
		if (isFields(json)) return json;
		faults.push("it is no JSON object");
	} catch (error) {
		faults.push(`it is no JSON: ${reasonOf(error)}`);
	}
	return null;
}

function faultsOf(json: Fields): string[] {
	const { format, version, raftd, machine, app, runtime } = json;
	if (typeof format === "number" && format > manifestFormat)
		return [
			`its format is ${format}, this raftctl reads up to ${manifestFormat}: use the raftctl that built it`,
		];
	return [
		...unless(format === manifestFormat, `"format" is not ${manifestFormat}`),
		...(typeof version === "string"
			? [versionFault(version)].filter((fault) => fault !== null)
			: ['"version" is missing']),
		...unless(isText(raftd), '"raftd" is missing'),
		...machineFaults(machine),
		...unless(
			app === null || (isText(app) && isInside(app)),
			'"app" is neither null nor a path inside the release',
		),
		...unless(
			runtime === null ||
				(isFields(runtime) &&
					[runtime.node, runtime.platform, runtime.arch].every(isText)),
			'"runtime" is neither null nor {"node", "platform", "arch"}',
		),
	];
}

function machineFaults(machine: unknown): string[] {
	if (!isFields(machine) || !isText(machine.name))
		return ['"machine" has no name'];
	const { reads, writes } = machine;
	if (!Array.isArray(reads) || reads.length !== 2)
		return ['"machine.reads" is not [first, last]'];
	const [first, last] = reads as unknown[];
	return isLevel(first) &&
		isLevel(last) &&
		isLevel(writes) &&
		first <= writes &&
		writes <= last
		? []
		: ['"machine" writes a level that it does not read'];
}

function isLevel(value: unknown): value is number {
	return Number.isInteger(value) && (value as number) > 0;
}

function isText(value: unknown): value is string {
	return typeof value === "string" && value !== "";
}

function isFields(value: unknown): value is Fields {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isInside(path: string): boolean {
	return !path.startsWith("/") && !path.split("/").includes("..");
}

function unless(holds: boolean, fault: string): string[] {
	return holds ? [] : [fault];
}
