import { mkdir, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";

const limitBytes = 10 * 1024 * 1024;
const tailLimitBytes = 256 * 1024;

/**
 * Opens a service's log to append to, setting one over 10 MiB aside (one older log is kept). Only for a start: a
 * running process holds its file open.
 */
export async function openLogFile(path: string) {
	await mkdir(dirname(path), { recursive: true, mode: 0o700 });
	const size = await stat(path).then(
		(found) => found.size,
		() => 0,
	);
	if (size > limitBytes) await rename(path, `${path}.1`);
	return open(path, "a", 0o600);
}

/** The last lines of a log, at most 256 KiB; empty when there is none. */
export async function tailOf(path: string, lines: number): Promise<string> {
	const file = await open(path).catch(() => null);
	if (file === null) return "";
	try {
		const { size } = await file.stat();
		const bytes = Math.min(size, tailLimitBytes);
		const tail = Buffer.alloc(bytes);
		const { bytesRead } = await file.read(tail, 0, bytes, size - bytes);
		const text = tail.toString("utf8", 0, bytesRead).trimEnd();
		return lines > 0 ? text.split("\n").slice(-lines).join("\n") : "";
	} finally {
		await file.close();
	}
}
