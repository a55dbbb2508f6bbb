import { readFile } from "node:fs/promises";

/**
 * Which process a pid file means. The pid alone is not enough: it may belong to another program by now, and a
 * program that is not ours must never be signalled.
 */
export interface ProcessIdentity {
	readonly pid: number;
	/** When it began, in clock ticks since the machine started. */
	readonly startTicks: string;
	/** Ticks begin again when the machine does. */
	readonly bootId: string;
}

const bootIdFile = "/proc/sys/kernel/random/boot_id";

/** The pid file's text: the process's line of /proc/<pid>/stat, then the boot id. Null when it is neither. */
export function parsePidFile(text: string): ProcessIdentity | null {
	const [stat = "", bootId = ""] = text.split("\n");
	const parsed = parseStat(stat);
	if (parsed === null || bootId === "") return null;
	return { pid: parsed.pid, startTicks: parsed.startTicks, bootId };
}

/** Whether exactly this process still runs. One that has ended but was not yet waited for does not. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
	const [stat, bootId] = await Promise.all([
		readOrEmpty(`/proc/${identity.pid}/stat`),
		readOrEmpty(bootIdFile),
	]);
	const now = parseStat(stat);
	return (
		now !== null &&
		now.startTicks === identity.startTicks &&
		bootId.trim() === identity.bootId &&
		now.state !== "Z" &&
		now.state !== "X"
	);
}

interface Stat {
	readonly pid: number;
	readonly state: string;
	readonly startTicks: string;
}

/** proc(5): the program's name, second, is in parentheses and may itself hold spaces and parentheses. */
function parseStat(line: string): Stat | null {
	const pid = Number.parseInt(line, 10);
	const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
	const state = fields[0];
	const startTicks = fields[22 - 3];
	if (!Number.isInteger(pid) || pid <= 1) return null;
	if (!state || !startTicks || !/^\d+$/.test(startTicks)) return null;
	return { pid, state, startTicks };
}

async function readOrEmpty(path: string): Promise<string> {
	try {
		return await readFile(path, "utf8");
	} catch {
		return "";
	}
}
