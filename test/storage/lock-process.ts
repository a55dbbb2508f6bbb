import { spawn } from "node:child_process";
import { lockDirectory } from "../../src/storage/lock.js";

/** A process that takes a lock, says so, and waits to be killed; told to, it starts a child that outlives it. */
const [directory = "", flockCommand = ""] = process.argv.slice(2);

try {
	await lockDirectory(directory, { flockCommand });
	process.send?.("taken");
} catch (error) {
	process.send?.(String(error));
}

process.on("message", () => {
	const child = spawn("sleep", ["60"], { detached: true, stdio: "ignore" });
	process.send?.(child.pid);
});
