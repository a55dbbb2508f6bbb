import {
	mkdtemp,
	readdir,
	readFile,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { localHost } from "../../src/hosts/local.js";
import { lacksRoot, onSmallDisk } from "../fakes/small-disk.js";

describe("this machine as a host", () => {
	const host = localHost();
	let directory: string;

	beforeEach(async () => {
		directory = await mkdtemp(join(tmpdir(), "raftctl-local-"));
	});
	afterEach(() => rm(directory, { recursive: true, force: true }));

	it("runs a program with its arguments as they are and gives back what it wrote", async () => {
		const script =
			"process.stdin.pipe(process.stdout); console.error(process.argv[1])";
		const result = await host.run(
			[process.execPath, "-e", script, "$HOME; 'quoted' *"],
			{ timeoutMs: 20_000, stdin: Buffer.from("in\n") },
		);
		expect(result).toEqual({
			exitCode: 0,
			stdout: "in\n",
			stderr: "$HOME; 'quoted' *\n",
		});
	});

	it.skipIf(lacksRoot)(
		"says of a full disk where it is, what is free, and what to see to",
		async () => {
			const path = join(directory, "ca.crt");
			const source = join(directory, "..", `${basename(directory)}.source`);
			await writeFile(source, Buffer.alloc(100_000));
			const full = {
				kind: "refused",
				message: expect.stringMatching(
					`^${path} could not be written: the disk of ${directory} on this machine is full: \\d+ bytes are free$`,
				),
				state: "what was there before is still there",
				remedy: `make room on this machine (df -h ${directory})`,
			};
			await onSmallDisk(directory, "40k", async () => {
				await host.upload(path, Buffer.from("old"), 0o600);
				await expect(
					host.upload(path, Buffer.alloc(100_000), 0o600),
				).rejects.toMatchObject(full);
				await expect(host.send(path, source, 0o600)).rejects.toMatchObject(
					full,
				);
				expect(await readFile(path, "utf8")).toBe("old");
				expect(await readdir(directory)).toEqual(["ca.crt"]);
			});
			await rm(source);
		},
	);

	it("gives a non-zero exit back as a result", async () => {
		const result = await host.run(["sh", "-c", "echo no >&2; exit 7"], {
			timeoutMs: 20_000,
		});
		expect(result).toEqual({ exitCode: 7, stdout: "", stderr: "no\n" });
	});

	it("answers 127 for a program that does not exist", async () => {
		const missing = join(directory, "missing");
		const result = await host.run([missing], { timeoutMs: 20_000 });
		expect(result.exitCode).toBe(127);
		expect(result.stderr).toContain(missing);
	});

	it("ends a program that takes too long and says so", async () => {
		await expect(
			host.run(["sleep", "60"], { timeoutMs: 50 }),
		).rejects.toMatchObject({ name: "OperatorError", kind: "timeout" });
	});

	it("ends what the program has started, too, and waits for nobody who has left it", async () => {
		const file = join(directory, "pids");
		const script = `sleep 600 & echo $! >> ${file}; setsid sleep 600 & echo $! >> ${file}; wait`;
		await expect(
			host.run(["sh", "-c", script], { timeoutMs: 500 }),
		).rejects.toMatchObject({ kind: "timeout" });
		const [child, stray] = (await readFile(file, "utf8")).trim().split("\n");
		await vi.waitFor(() =>
			expect(() => process.kill(Number(child), 0)).toThrow("ESRCH"),
		);
		process.kill(Number(stray), "SIGKILL");
	});

	it("ends a program when it is aborted, with the reason given", async () => {
		const controller = new AbortController();
		const reason = new Error("Ctrl-C");
		const running = host.run(["sleep", "60"], {
			timeoutMs: 60_000,
			signal: controller.signal,
		});
		controller.abort(reason);
		await expect(running).rejects.toBe(reason);
	});

	it("holds the standard input of a program open for as long as it waits, and no longer", async () => {
		const waits = "process.stdin.on('end', () => console.log('closed'))";
		const argv = [process.execPath, "-e", `${waits}.resume()`];
		const patient = host.run(argv, { timeoutMs: 2_000, holdsStdin: true });
		await expect(patient).rejects.toMatchObject({ kind: "timeout" });
		const left = await host.run(argv, { timeoutMs: 20_000 });
		expect(left.stdout).toBe("closed\n");
		const done = [process.execPath, "-e", "console.log('done')"];
		const options = { timeoutMs: 20_000, holdsStdin: true } as const;
		expect((await host.run(done, options)).stdout).toBe("done\n");
	});

	it("writes a file whole, with its mode, in a directory that it makes", async () => {
		const path = join(directory, "deep", "er", "node.yaml");
		await host.upload(path, Buffer.from("one"), 0o666);
		await host.upload(path, Buffer.from("two"), 0o640);
		expect(Buffer.from((await host.read(path)) ?? []).toString()).toBe("two");
		expect((await stat(path)).mode & 0o777).toBe(0o640);
		expect((await stat(join(directory, "deep"))).mode & 0o777).toBe(0o700);
		expect(await readdir(join(directory, "deep", "er"))).toEqual(["node.yaml"]);
	});

	it("leaves nothing behind when a file cannot be written", async () => {
		const path = join(directory, "taken");
		await host.upload(join(path, "inside"), Buffer.from("x"), 0o600);
		await expect(
			host.upload(path, Buffer.from("y"), 0o600),
		).rejects.toMatchObject({ code: "EISDIR" });
		expect(await readdir(directory)).toEqual(["taken"]);
	});

	it("takes a file of any size in, unless it is there with the same content", async () => {
		const [source, path] = ["source", "in/place"].map((name) =>
			join(directory, name),
		) as [string, string];
		await writeFile(source, "content");
		expect(await host.send(path, source, 0o644)).toEqual({
			...{ sentBytes: 7, present: false },
		});
		expect(await host.send(path, source, 0o755)).toEqual({
			...{ sentBytes: 0, present: true },
		});
		expect((await stat(path)).mode & 0o777).toBe(0o755);
		await writeFile(source, "another");
		await host.send(path, source, 0o600);
		expect(Buffer.from((await host.read(path)) ?? []).toString()).toBe(
			"another",
		);
		expect(await readdir(join(directory, "in"))).toEqual(["place"]);
	});

	it("reads null for a file that does not exist, and fails for one it cannot read", async () => {
		expect(await host.read(join(directory, "nothing"))).toBeNull();
		await writeFile(join(directory, "file"), "");
		await expect(host.read(join(directory, "file", "below"))).rejects.toThrow();
	});
});
