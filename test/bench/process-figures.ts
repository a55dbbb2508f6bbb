import { readFileSync, statSync } from "node:fs";

/** Resident now, as the kernel counts it. */
export function residentBytes(pid: number): number {
	return 1024 * fieldOf(`/proc/${pid}/status`, "VmRSS");
}

const sectorBytes = 512;

/**
 * Written to the device that holds `path`, by everybody, since the machine started. Not /proc/PID/io: where the page
 * cache keeps a file in pieces of a megabyte, as Linux does since 6.16, it counts each of them whole, however little of
 * it was changed and is written.
 */
export function deviceWrittenBytes(path: string): number {
	const { dev } = statSync(path);
	const major = (dev >> 8) & 0xfff;
	const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
	const device = readFileSync("/proc/diskstats", "utf8")
		.split("\n")
		.map((line) => line.trim().split(/\s+/))
		.find(([first, second]) => first === `${major}` && second === `${minor}`);
	return Number(device?.[9] ?? Number.NaN) * sectorBytes;
}

function fieldOf(path: string, name: string): number {
	const line = readFileSync(path, "utf8")
		.split("\n")
		.find((one) => one.startsWith(`${name}:`));
	return Number(/\d+/.exec(line ?? "")?.[0] ?? Number.NaN);
}
