import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import { lockDirectory, lockHolder } from "../../src/storage/lock.js";
import { compiled, temporaryDirectory } from "./worker-file.js";

let program: string;

beforeAll(async () => {
	program = fileURLToPath(
		await compiled(join(import.meta.dirname, "lock-process.ts")),
	);
});

/** Starts a process that takes the lock; resolves with what it says. */
async function holder(
	directory: string,
	flockCommand: string,
): Promise<{ child: ChildProcess; said: string }> {
	const child = fork(program, [directory, flockCommand]);
	const [said] = await once(child, "message");
	return { child, said };
}

async function kill(child: ChildProcess): Promise<void> {
	child.kill("SIGKILL");
	await once(child, "exit");
}

for (const flockCommand of ["flock", "flock-is-not-installed"]) {
	describe(`the lock on a data directory, with ${flockCommand}`, () => {
		it("belongs to one process, whose id the next one is told, and is free again after kill -9", async () => {
			const directory = temporaryDirectory();
			const first = await holder(directory, flockCommand);
			expect(first.said).toBe("taken");
			const second = await holder(directory, flockCommand);
			expect(second.said).toContain(
				`${directory} is in use by process ${first.child.pid}, since 20`,
			);
			await kill(second.child);
			await kill(first.child);
			const third = await holder(directory, flockCommand);
			expect(third.said).toBe("taken");
			await kill(third.child);
		});

		it("can be looked at without taking it or writing anything", async () => {
			const directory = temporaryDirectory();
			const look = () => lockHolder(directory, { flockCommand });
			expect(await look()).toBe(null);
			expect(readdirSync(directory)).toEqual([]);
			const { child } = await holder(directory, flockCommand);
			const looks = await Promise.all([look(), look()]);
			for (const said of looks)
				expect(said).toMatch(new RegExp(`^process ${child.pid}, since 20`));
			await kill(child);
			expect(await look()).toBe(null);
			const again = await lockDirectory(directory, { flockCommand });
			await again.release();
		});

		it("is not inherited by the processes that its holder starts", async () => {
			const directory = temporaryDirectory();
			const first = await holder(directory, flockCommand);
			first.child.send("spawn");
			const [pid] = await once(first.child, "message");
			await kill(first.child);
			try {
				const next = await holder(directory, flockCommand);
				expect(next.said).toBe("taken");
				await kill(next.child);
			} finally {
				process.kill(pid, "SIGKILL");
			}
		});

		it("can be given back and taken again within a process, but not taken twice", async () => {
			const directory = temporaryDirectory();
			const lock = await lockDirectory(directory, { flockCommand });
			const twice = lockDirectory(directory, { flockCommand });
			await expect(twice).rejects.toBeInstanceOf(OperatorError);
			await expect(twice).rejects.toMatchObject({ kind: "locked" });
			await lock.release();
			await (await lockDirectory(directory, { flockCommand })).release();
		});
	});
}
