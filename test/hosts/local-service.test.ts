import { execFile, spawn } from "node:child_process";
import {
	appendFile,
	mkdtemp,
	readFile,
	rm,
	stat,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Service } from "../../src/hosts/host.js";
import { localService } from "../../src/hosts/local-service.js";

const patient = { timeout: 20_000, interval: 20 };

describe("a service on this machine", () => {
	let directory: string;
	const services: Service[] = [];

	beforeEach(async () => {
		directory = await mkdtemp(join(tmpdir(), "raftctl-service-"));
	});
	afterEach(async () => {
		for (const service of services.splice(0)) await service.kill();
		await rm(directory, { recursive: true, force: true });
	});

	const pidFile = () => join(directory, "run", "n1.pid");
	const logFile = () => join(directory, "log", "n1.log");

	function serviceOf(argv: readonly string[]): Service {
		const service = localService({
			name: "n1",
			argv: async () => argv,
			pidFile: pidFile(),
			logFile: logFile(),
			workingDirectory: directory,
		});
		services.push(service);
		return service;
	}

	const nodeScript = (script: string) =>
		serviceOf([process.execPath, "-e", script]);
	const stubborn =
		"process.on('SIGTERM', () => console.log('ignored')); console.log('up'); setInterval(() => {}, 1000)";

	async function pidOf(service: Service): Promise<number> {
		const state = await service.state();
		if (!state.running) throw new Error(`does not run: ${state.exit}`);
		return state.pid;
	}

	it("starts once, however often it is told to, and stops", async () => {
		const service = serviceOf(["sleep", "600"]);
		expect(await service.state()).toEqual({ running: false, exit: null });
		await service.start();
		const pid = await pidOf(service);
		await service.start();
		await serviceOf(["sleep", "600"]).start();
		expect(await pidOf(service)).toBe(pid);
		await service.stop(20_000);
		expect((await service.state()).running).toBe(false);
		await service.stop(20_000);
	});

	it("starts once when several start it at the same time", async () => {
		const script =
			"require('fs').appendFileSync('starts', 'x'); setInterval(() => {}, 1000)";
		const all = Array.from({ length: 5 }, () => nodeScript(script));
		await Promise.all(all.map((service) => service.start()));
		const pids = new Set(await Promise.all(all.map(pidOf)));
		expect(pids.size).toBe(1);
		await vi.waitFor(
			async () =>
				expect(await readFile(join(directory, "starts"), "utf8")).toBe("x"),
			patient,
		);
	});

	it("is found, and can be stopped, by another raftctl than the one that started it", async () => {
		await serviceOf(["sleep", "600"]).start();
		const other = serviceOf(["sleep", "600"]);
		expect((await other.state()).running).toBe(true);
		await other.stop(20_000);
		expect(await other.state()).toEqual({ running: false, exit: null });
	});

	it("outlives whoever started it, and does not keep it from ending", async () => {
		const source = new URL("../../src/hosts/local-service.ts", import.meta.url);
		const bundle = join(directory, "starter.mjs");
		const { build } = await import("esbuild");
		await build({
			stdin: {
				contents: `import { localService } from ${JSON.stringify(source.pathname)};
					const [pidFile, logFile, workingDirectory] = process.argv.slice(2);
					await localService({ name: "n1", argv: async () => ["sleep", "600"], pidFile, logFile, workingDirectory }).start();`,
				resolveDir: directory,
			},
			bundle: true,
			platform: "node",
			format: "esm",
			outfile: bundle,
		});
		// Its session leader ends with a signal to the whole group, as a closed terminal or a cancelled CI job does.
		const starter = spawn(
			process.execPath,
			[bundle, pidFile(), logFile(), directory],
			{ stdio: "ignore", detached: true },
		);
		const code = await new Promise((resolve) => starter.once("exit", resolve));
		expect(code).toBe(0);
		try {
			process.kill(-(starter.pid as number), "SIGKILL");
		} catch (error) {
			expect((error as NodeJS.ErrnoException).code).toBe("ESRCH");
		}
		expect((await serviceOf(["sleep", "600"]).state()).running).toBe(true);
	});

	it("says how it ended when it saw it, and that it did not when it did not", async () => {
		const service = nodeScript("process.exit(3)");
		await service.start();
		await vi.waitFor(
			async () =>
				expect(await service.state()).toEqual({
					running: false,
					exit: "exit code 3",
				}),
			patient,
		);
		const stranger = await serviceOf(["true"]).state();
		expect(stranger).toMatchObject({
			running: false,
			exit: expect.stringContaining("was not seen"),
		});
	});

	it("says that a program does not exist in its state and its log", async () => {
		const service = serviceOf([join(directory, "missing")]);
		await service.start();
		await vi.waitFor(
			async () =>
				expect(await service.state()).toEqual({
					running: false,
					exit: "exit code 127",
				}),
			patient,
		);
		expect(await service.logTail(5)).toContain("missing");
	});

	it("fails clearly in a working directory that does not exist", async () => {
		const service = localService({
			name: "n1",
			argv: async () => ["true"],
			pidFile: pidFile(),
			logFile: logFile(),
			workingDirectory: join(directory, "nowhere"),
		});
		await expect(service.start()).rejects.toMatchObject({
			name: "OperatorError",
			message: expect.stringContaining("nowhere"),
		});
		expect((await service.state()).running).toBe(false);
	});

	it("leaves a process alone that does not end in time, and says so", async () => {
		const service = nodeScript(stubborn);
		await service.start();
		await vi.waitFor(
			async () => expect(await service.logTail(1)).toBe("up"),
			patient,
		);
		await expect(service.stop(100)).rejects.toMatchObject({ kind: "timeout" });
		expect((await service.state()).running).toBe(true);
		await service.kill();
		expect((await service.state()).running).toBe(false);
	});

	it("stops waiting when it is aborted, with the reason given", async () => {
		const service = nodeScript(stubborn);
		await service.start();
		await vi.waitFor(
			async () => expect(await service.logTail(1)).toBe("up"),
			patient,
		);
		const controller = new AbortController();
		const stopping = service.stop(60_000, controller.signal);
		const reason = new Error("Ctrl-C");
		controller.abort(reason);
		await expect(stopping).rejects.toBe(reason);
	});

	it("never signals a process that has the pid by chance", async () => {
		const service = serviceOf(["sleep", "600"]);
		await service.start();
		const [stat = "", boot = ""] = (await readFile(pidFile(), "utf8")).split(
			"\n",
		);
		await service.stop(20_000);
		// Start times are told in ticks of 10 ms.
		await sleep(30);
		const innocent = spawn("sleep", ["600"], { stdio: "ignore" });
		try {
			const forged = stat.replace(/^\d+/, String(innocent.pid));
			await writeFile(pidFile(), `${forged}\n${boot}\n`);
			expect((await serviceOf(["true"]).state()).running).toBe(false);
			await service.stop(20_000);
			await service.kill();
			expect(innocent.exitCode ?? innocent.signalCode).toBeNull();
			process.kill(innocent.pid as number, 0);
		} finally {
			innocent.kill("SIGKILL");
		}
	});

	it.each(["", "no pid", "12", "1 (init) S 0 1", "99999999 (x) S"])(
		"starts over a pid file that says %j",
		async (content) => {
			const service = serviceOf(["sleep", "600"]);
			await service.start();
			await service.stop(20_000);
			await writeFile(pidFile(), content);
			await service.start();
			expect((await service.state()).running).toBe(true);
		},
	);

	it("takes the extra certificates out of the environment", async () => {
		vi.stubEnv("NODE_EXTRA_CA_CERTS", "/etc/ssl/certs/ca-certificates.crt");
		vi.stubEnv("KEPT", "kept");
		try {
			const service = nodeScript(
				"console.log(process.env.NODE_EXTRA_CA_CERTS, process.env.KEPT); setInterval(() => {}, 1000)",
			);
			await service.start();
			await vi.waitFor(
				async () => expect(await service.logTail(1)).toBe("undefined kept"),
				patient,
			);
		} finally {
			vi.unstubAllEnvs();
		}
	});

	it("runs in a session of its own", async () => {
		const service = serviceOf(["sleep", "600"]);
		await service.start();
		const pid = await pidOf(service);
		const { stdout } = await promisify(execFile)("ps", [
			"-o",
			"sid=",
			"-p",
			String(pid),
		]);
		expect(Number(stdout)).toBe(pid);
	});

	it("appends to its log, gives its last lines, and sets a long one aside", async () => {
		const service = nodeScript(
			"console.log('one\\ntwo'); setInterval(() => {}, 1000)",
		);
		expect(await service.logTail(3)).toBe("");
		for (const lines of ["one\ntwo", "one\ntwo\none\ntwo"]) {
			await service.start();
			await vi.waitFor(
				async () => expect(await service.logTail(9)).toBe(lines),
				patient,
			);
			await service.stop(20_000);
		}
		expect(await service.logTail(1)).toBe("two");
		expect((await stat(logFile())).mode & 0o777).toBe(0o600);
		await appendFile(logFile(), Buffer.alloc(10 * 1024 * 1024, "x"));
		await service.start();
		await vi.waitFor(
			async () => expect(await service.logTail(9)).toBe("one\ntwo"),
			patient,
		);
		expect((await stat(`${logFile()}.1`)).size).toBeGreaterThan(
			10 * 1024 * 1024,
		);
	});
});
