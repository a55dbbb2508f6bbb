import { spawn } from "node:child_process";

/**
 * Takes an open file of this machine for whoever has it open, at once or not at all; it is let go of when that one closes it
 * or ends, however that is. "unknown" where there is no flock, or the file system knows no locks.
 */
export function lockFile(
	descriptor: number,
): Promise<"taken" | "held" | "unknown"> {
	return new Promise((resolve) => {
		// Node has no flock(2). The command locks the open file that it inherits; as we share it, the lock stays with us.
		const child = spawn("flock", ["-n", "-x", "3"], {
			stdio: ["ignore", "ignore", "ignore", descriptor],
			timeout: flockTimeoutMs,
		});
		child.once("error", () => resolve("unknown"));
		child.once("exit", (code) => resolve(meaningOf(code)));
	});
}

const flockTimeoutMs = 5_000;

function meaningOf(code: number | null) {
	return code === 0 ? "taken" : code === 1 ? "held" : "unknown";
}
