import { readFileSync } from "node:fs";

/** Resident now, as the kernel counts it. */
export function residentBytes(pid: number): number {
	return 1024 * fieldOf(`/proc/${pid}/status`, "VmRSS");
}

/** Sent to the disk since the process began, or about to be: what was made dirty counts, padding and zeros included. */
export function writtenBytes(pid: number): number {
	return fieldOf(`/proc/${pid}/io`, "write_bytes");
}

function fieldOf(path: string, name: string): number {
	const line = readFileSync(path, "utf8")
		.split("\n")
		.find((one) => one.startsWith(`${name}:`));
	return Number(/\d+/.exec(line ?? "")?.[0] ?? Number.NaN);
}
