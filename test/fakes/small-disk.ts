import { execFileSync } from "node:child_process";

/** Only root may mount. Where the project is proven nothing is left out: a missing right fails there. */
export const lacksRoot = process.getuid?.() !== 0 && process.env.CI !== "true";

/** Lets an empty directory be a disk of its own, of this size ("40k", "3m"), until `run` ends. */
export async function onSmallDisk(
	directory: string,
	size: string,
	run: () => Promise<void>,
): Promise<void> {
	const options = ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", directory];
	execFileSync("mount", options);
	try {
		await run();
	} finally {
		execFileSync("umount", [directory]);
	}
}
