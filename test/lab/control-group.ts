import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "../../src/errors.js";
import { until } from "./until.js";

/** Where this machine's control groups are mounted. */
export interface Hierarchies {
	/** Version 2: what freezes, kills and counts. */
	readonly unified: string;
	/** Every hierarchy that a systemd inside a machine manages: of a hybrid set-up also version 1's name=systemd. */
	readonly all: readonly string[];
}

/** Reads /proc/self/mountinfo, proc(5). */
export function parseHierarchies(mountinfo: string): Hierarchies {
	const mounts = mountinfo.split("\n").map((line) => {
		const [left = "", right = ""] = line.split(" - ");
		const [type = "", , options = ""] = right.split(" ");
		return {
			path: left.split(" ")[4] ?? "",
			type,
			options: options.split(","),
		};
	});
	const unified = mounts.find(({ type }) => type === "cgroup2");
	if (unified === undefined) {
		throw new OperatorError(
			"refused",
			"the lab needs control groups of version 2, and none are mounted here",
		);
	}
	const named = mounts.find(
		({ type, options }) =>
			type === "cgroup" && options.includes("name=systemd"),
	);
	return {
		unified: unified.path,
		all: [unified.path, ...(named === undefined ? [] : [named.path])],
	};
}

export async function hierarchies(): Promise<Hierarchies> {
	return parseHierarchies(await readFile("/proc/self/mountinfo", "utf8"));
}

/**
 * All processes of one machine, whoever started them: a process cannot leave its group, so a machine is found and ended
 * through it even when whoever booted it was killed.
 */
export interface ControlGroup {
	/** The directories to join, one per hierarchy. */
	readonly directories: readonly string[];
	create(): Promise<void>;
	processes(): Promise<readonly number[]>;
	isFrozen(): Promise<boolean>;
	/** Resolves once no process of it runs. */
	freeze(): Promise<void>;
	thaw(): Promise<void>;
	/** SIGKILL to all at once, frozen ones too; resolves once none is left. */
	kill(): Promise<void>;
	/** Of a group without processes. */
	remove(): Promise<void>;
}

const settleMs = 10_000;
/** systemd-nspawn, when what it runs has died, takes its own locks away; then it is ended like the rest. */
const supervisorMs = 2_000;

export function controlGroup(
	{ unified, all }: Hierarchies,
	path: string,
): ControlGroup {
	const group = join(unified, path);
	const event = async (name: string) =>
		(await readOrEmpty(join(group, "cgroup.events"))).includes(`${name} 1`);
	const freezing = async (frozen: boolean) => {
		await writeFile(join(group, "cgroup.freeze"), frozen ? "1" : "0");
		await until(async () => (await event("frozen")) === frozen, settleMs, {
			what: `${path} to ${frozen ? "freeze" : "thaw"}`,
		});
	};
	return {
		directories: all.map((hierarchy) => join(hierarchy, path)),
		async create() {
			for (const hierarchy of all)
				await mkdir(join(hierarchy, path), { recursive: true });
		},
		processes: () => processesBelow(group),
		isFrozen: () => event("frozen"),
		freeze: () => freezing(true),
		thaw: () => freezing(false),
		async kill() {
			const what = `the processes of ${path} to end`;
			const isEmpty = async () => !(await event("populated"));
			if (await isEmpty()) return;
			const payload = join(group, "payload", "cgroup.kill");
			await writeFile(payload, "1").catch(() => {});
			await writeFile(join(group, "cgroup.freeze"), "0");
			await until(isEmpty, supervisorMs, { what }).catch(() => {});
			await writeFile(join(group, "cgroup.kill"), "1");
			await until(isEmpty, settleMs, { what });
		},
		async remove() {
			for (const hierarchy of all) await removeTree(join(hierarchy, path));
		},
	};
}

async function processesBelow(directory: string): Promise<readonly number[]> {
	const own = (await readOrEmpty(join(directory, "cgroup.procs")))
		.split("\n")
		.filter((line) => line !== "")
		.map(Number);
	const nested = await Promise.all(
		(await groupsIn(directory)).map((name) =>
			processesBelow(join(directory, name)),
		),
	);
	return [...own, ...nested.flat()];
}

/** Leaves first: a group's directory goes with rmdir alone, its files are the kernel's. */
async function removeTree(directory: string): Promise<void> {
	for (const name of await groupsIn(directory))
		await removeTree(join(directory, name));
	await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
		if (error.code !== "ENOENT") throw error;
	});
}

async function groupsIn(directory: string): Promise<readonly string[]> {
	const entries = await readdir(directory, { withFileTypes: true }).catch(
		() => [],
	);
	return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

async function readOrEmpty(path: string): Promise<string> {
	return await readFile(path, "utf8").catch(() => "");
}
