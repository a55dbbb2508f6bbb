import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import {
	chmodSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Host } from "../../../src/hosts/host.js";
import { lacksRoot, onSmallDisk } from "../../fakes/small-disk.js";
import { Desk, type Sshd } from "./sshd.js";

const timeoutMs = 60_000;

describe("a host behind a real sshd", () => {
	const desk = new Desk();
	let sshd: Sshd;
	let host: Host;

	beforeAll(async () => {
		sshd = await desk.sshd();
		desk.know(sshd.known());
		host = await desk.hosts({ h1: sshd.port }).host("h1", null);
	});
	afterAll(() => desk.close());

	it("runs a program with its arguments as they are and gives back what it wrote", async () => {
		const words = ["$HOME; 'quoted' *", "", "a\nb", "\\", "ü€"];
		const script = 'cat; printf "%s|" "$@"; echo err >&2; exit 7';
		const result = await host.run(["sh", "-c", script, "sh", ...words], {
			timeoutMs,
			stdin: Buffer.from("in\n"),
		});
		expect(result).toEqual({
			exitCode: 7,
			stdout: `in\n${words.join("|")}|`,
			stderr: "err\n",
		});
	});

	it("answers 127 for a program that does not exist", async () => {
		const result = await host.run(["/nowhere/at-all"], { timeoutMs });
		expect(result.exitCode).toBe(127);
		expect(result.stderr).toContain("/nowhere/at-all");
	});

	it("keeps what else runs apart from a program that signals its group", async () => {
		const other = host.run(["sh", "-c", "sleep 1; echo lives"], { timeoutMs });
		await host
			.run(["sh", "-c", "kill -TERM 0; sleep 60"], { timeoutMs })
			.catch(() => undefined);
		expect((await other).stdout).toBe("lives\n");
	});

	it("ends all of what takes too long on the host itself, and says so", async () => {
		const mark = `9${Date.now()}`;
		const script = `trap '' TERM; sleep ${mark} & sleep ${mark}`;
		await expect(
			host.run(["sh", "-c", script], { timeoutMs: 3_000 }),
		).rejects.toMatchObject({ kind: "timeout", node: "h1" });
		expect(running(`sleep ${mark}`)).toBe(0);
	});

	it("ends it when it is aborted, with the reason given", async () => {
		const mark = `8${Date.now()}`;
		const controller = new AbortController();
		const reason = new Error("Ctrl-C");
		const run = host.run(["sh", "-c", `sleep ${mark}; true`], {
			...{ timeoutMs, signal: controller.signal },
		});
		run.catch(() => undefined);
		while (running(`sleep ${mark}`) === 0) await sleep(50);
		controller.abort(reason);
		await expect(run).rejects.toBe(reason);
		expect(running(`sleep ${mark}`)).toBe(0);
	});

	it("gives a program whose caller is gone no more time than its own", async () => {
		const mark = `7${Date.now()}`;
		const hosts = desk.hosts({ h1: sshd.port });
		const other = await hosts.host("h1", null);
		const run = other.run(["sleep", mark], { timeoutMs: 1 });
		await run.catch(() => undefined);
		// Ended by raftctl or, had that died, by the host eleven seconds later.
		for (let tries = 0; tries < 300; tries += 1) {
			if (running(`sleep ${mark}`) === 0) break;
			await sleep(100);
		}
		expect(running(`sleep ${mark}`)).toBe(0);
	});

	it("stops a program that writes without end", async () => {
		await expect(host.run(["yes"], { timeoutMs })).rejects.toThrow(
			"yes wrote more than",
		);
	});

	it("writes a file whole, with its mode, in a directory that it makes", async () => {
		const path = join(desk.directory, "deep", "er", "it's node.yaml");
		await host.upload(path, Buffer.from("one"), 0o666);
		const content = randomBytes(300_000);
		await host.upload(path, content, 0o640);
		expect(readFileSync(path).equals(content)).toBe(true);
		expect(statSync(path).mode & 0o777).toBe(0o640);
		expect(statSync(join(desk.directory, "deep")).mode & 0o777).toBe(0o700);
		expect(readdirSync(join(desk.directory, "deep", "er"))).toEqual([
			"it's node.yaml",
		]);
		expect(content.equals((await host.read(path)) as Uint8Array)).toBe(true);
	});

	it("leaves nothing behind when a file cannot be written", async () => {
		const directory = join(desk.directory, "taken");
		mkdirSync(join(directory, "path"), { recursive: true });
		await expect(
			host.upload(join(directory, "path"), Buffer.from("y"), 0o600),
		).rejects.toMatchObject({ kind: "unexpected", node: "h1" });
		expect(readdirSync(directory)).toEqual(["path"]);
	});

	it.skipIf(lacksRoot)(
		"says of a full disk where it is, what is free, and what to see to",
		async () => {
			const directory = join(desk.directory, "full", "n1");
			mkdirSync(directory, { recursive: true });
			const path = join(directory, "ca.crt");
			await onSmallDisk(directory, "40k", async () => {
				await host.upload(path, Buffer.from("old"), 0o600);
				const upload = host.upload(path, Buffer.alloc(100_000), 0o600);
				await expect(upload).rejects.toMatchObject({
					...{ kind: "refused", node: "h1" },
					message: expect.stringMatching(
						`^${path} could not be written: the disk of ${directory} on h1 is full: \\d+ bytes are free$`,
					),
					state: "what was there before is still there",
					remedy: `make room on h1 (df -h ${directory} there)`,
				});
				expect(readFileSync(path, "utf8")).toBe("old");
				expect(readdirSync(directory)).toEqual(["ca.crt"]);
			});
		},
	);

	it("reads null for what is not there, and fails for what may not be seen", async () => {
		expect(await host.read(join(desk.directory, "no", "thing"))).toBeNull();
		const file = join(desk.directory, "file");
		writeFileSync(file, "");
		expect(await host.read(file)).toEqual(Buffer.alloc(0));
		await expect(host.read(join(file, "below"))).rejects.toThrow(
			"no directory",
		);
		const dangling = join(desk.directory, "dangling");
		symlinkSync("nowhere", dangling);
		await expect(host.read(dangling)).rejects.toThrow(dangling);
	});
});

describe("a host whose account may not see everything", () => {
	const desk = new Desk();
	afterAll(() => desk.close());

	it.skipIf(lacksRoot)(
		"does not take a hidden file for a missing one, and acts as whom it is told to",
		async () => {
			const sshd = await desk.sshd();
			desk.know(sshd.known());
			const hosts = desk.hosts({ h1: sshd.port });
			const host = await hosts.host("h1", "nobody");
			const who = await host.run(["id", "-un"], { timeoutMs });
			expect(who.stdout).toBe("nobody\n");
			chmodSync(desk.directory, 0o700);
			await expect(host.read(join(desk.directory, "nothing"))).rejects.toThrow(
				"may not be looked into",
			);
			const stranger = await hosts.host("h1", "no-such-account");
			await expect(stranger.run(["true"], { timeoutMs })).rejects.toMatchObject(
				{
					...{ kind: "unreachable", node: "h1" },
					problems: [expect.stringContaining("no-such-account")],
				},
			);
		},
	);
});

describe("a file that is sent", () => {
	const desk = new Desk();
	let sshd: Sshd;
	let host: Host;
	const source = join(desk.directory, "source");
	const content = randomBytes(24 * 1024 * 1024);
	const path = join(desk.directory, "there", "release.tgz");
	const hash = createHash("sha256").update(content).digest("hex");
	const part = `${path}.${hash}.part`;

	beforeAll(async () => {
		sshd = await desk.sshd();
		desk.know(sshd.known());
		host = await desk.hosts({ h1: sshd.port }).host("h1", null);
		writeFileSync(source, content);
	});
	afterAll(() => desk.close());

	it("goes on where it was when all of sshd dies in the middle", async () => {
		let [killed, again] = [0, 0];
		const sent = await host.send(path, source, 0o644, {
			onProgress: (bytes) => {
				if (killed === 0 && bytes > 8 * 1024 * 1024) {
					killed = bytes;
					sshd.dropSessions();
				} else if (killed > 0 && again === 0) again = bytes;
			},
		});
		expect(killed).toBeGreaterThan(0);
		expect(sent.present).toBe(false);
		// What had arrived is not sent again, and all that is in flight is a window.
		expect(sent.sentBytes).toBeLessThan(content.length + killed);
		expect(readFileSync(path).equals(content)).toBe(true);
		expect(statSync(path).mode & 0o777).toBe(0o644);
		expect(existsSync(part)).toBe(false);
	});

	it("is not sent when it is there, and has its mode mended", async () => {
		const sent = await host.send(path, source, 0o755);
		expect(sent).toEqual({ sentBytes: 0, present: true });
		expect(statSync(path).mode & 0o777).toBe(0o755);
	});

	it("goes on with the part that an earlier raftctl left", async () => {
		const other = `${path}.2`;
		writeFileSync(`${other}.${hash}.part`, content.subarray(0, 20_000_000));
		const sent = await host.send(other, source, 0o600);
		expect(sent.sentBytes).toBe(content.length - 20_000_000);
		expect(readFileSync(other).equals(content)).toBe(true);
	});

	it("begins again when the part that lies there is damaged", async () => {
		const other = `${path}.3`;
		const damaged = Buffer.from(content.subarray(0, 1_000_000));
		damaged[5] = (damaged[5] ?? 0) ^ 1;
		writeFileSync(`${other}.${hash}.part`, damaged);
		await host.send(other, source, 0o600);
		expect(readFileSync(other).equals(content)).toBe(true);
	});

	it("says when there is no room, before anything is sent", async () => {
		const huge = join(desk.directory, "huge");
		spawnSync("truncate", ["-s", "1M", huge]);
		const small = join(desk.directory, "small");
		mkdirSync(small);
		const mounted = spawnSync("mount", [
			...["-t", "tmpfs", "-o", "size=64k", "none", small],
		]);
		if (mounted.status !== 0) return;
		try {
			await expect(
				host.send(join(small, "file"), huge, 0o600),
			).rejects.toMatchObject({ kind: "refused", node: "h1" });
			expect(readdirSync(small)).toEqual([]);
		} finally {
			spawnSync("umount", [small]);
		}
	});
});

describe("a file that is fetched", () => {
	const desk = new Desk();
	let sshd: Sshd;
	let host: Host;
	const path = join(desk.directory, "state");
	const bytes = 160 * 1024 * 1024;
	const content = () => readFileSync(path);
	const hashOf = (file: string) =>
		createHash("sha256").update(readFileSync(file)).digest("hex");
	const target = join(desk.directory, "here", "state");

	beforeAll(async () => {
		sshd = await desk.sshd();
		desk.know(sshd.known());
		host = await desk.hosts({ h1: sshd.port }).host("h1", null);
		const random = spawnSync("sh", [
			...["-c", 'head -c "$2" /dev/urandom > "$1"', "sh", path, `${bytes}`],
		]);
		expect(random.status).toBe(0);
	}, timeoutMs);
	afterAll(() => desk.close());

	it("is never held in memory, however large it is", async () => {
		let most = 0;
		const before = process.memoryUsage().arrayBuffers;
		const fetched = await host.fetch(path, target, {
			onProgress: () => {
				most = Math.max(most, process.memoryUsage().arrayBuffers - before);
			},
		});
		expect(fetched).toEqual({ receivedBytes: bytes, present: false });
		expect(most).toBeLessThan(bytes / 2);
		expect(hashOf(target)).toBe(hashOf(path));
		expect(statSync(target).mode & 0o777).toBe(0o600);
		expect(await host.fetch(path, target)).toEqual({
			...{ receivedBytes: 0, present: true },
		});
	}, 120_000);

	it("goes on where it was when all of sshd dies in the middle", async () => {
		let dropped = 0;
		const other = `${target}.2`;
		const fetched = await host.fetch(path, other, {
			onProgress: (done) => {
				if (dropped > 0 || done < bytes / 2) return;
				dropped = done;
				sshd.dropSessions();
			},
		});
		expect(dropped).toBeGreaterThan(0);
		// Beside what was in flight to a disk, nothing comes twice.
		expect(fetched?.receivedBytes).toBeLessThan(bytes + dropped / 2);
		expect(hashOf(other)).toBe(hashOf(path));
		expect(readdirSync(join(desk.directory, "here")).sort()).toEqual([
			...["state", "state.2"],
		]);
	}, 120_000);

	it("goes on with the part that an earlier raftctl left, and begins again where that is damaged", async () => {
		const other = `${target}.3`;
		const part = `${other}.${hashOf(path)}.part`;
		writeFileSync(part, content().subarray(0, bytes - 1_000_000));
		const rest = await host.fetch(path, other);
		expect(rest?.receivedBytes).toBe(1_000_000);
		const damaged = Buffer.from(content().subarray(0, 1_000_000));
		damaged[5] = (damaged[5] ?? 0) ^ 1;
		writeFileSync(part, damaged);
		writeFileSync(other, "of another content");
		await host.fetch(path, other);
		expect(hashOf(other)).toBe(hashOf(path));
	}, 120_000);

	it("says where it cannot be written on this machine, and what to do", async () => {
		const file = join(desk.directory, "no-directory");
		writeFileSync(file, "");
		const failure = await host.fetch(path, join(file, "state")).then(
			() => null,
			(error: unknown) => error,
		);
		expect(failure).toMatchObject({
			...{ kind: "refused", node: "local" },
			message: expect.stringContaining(`${file}/state cannot be written: `),
			state: expect.any(String),
			next: expect.stringContaining("give the command again"),
		});
	});

	it("is null when it is not there, and empty when it is empty", async () => {
		const nothing = join(desk.directory, "nothing");
		expect(await host.fetch(nothing, target)).toBeNull();
		writeFileSync(nothing, "");
		const other = `${target}.4`;
		expect(await host.fetch(nothing, other)).toMatchObject({ present: false });
		expect(statSync(other).size).toBe(0);
	});
});

describe("many commands at once", () => {
	const desk = new Desk();
	afterAll(() => desk.close());

	it("all run over one connection, however few sessions the server allows", async () => {
		const sshd = await desk.sshd({ config: ["MaxSessions 3"] });
		desk.know(sshd.known());
		const hosts = desk.hosts({ h1: sshd.port });
		const host = await hosts.host("h1", null);
		const numbers = Array.from({ length: 20 }, (_, at) => String(at));
		const results = await Promise.all(
			numbers.map((number) => host.run(["echo", number], { timeoutMs })),
		);
		expect(results.map(({ stdout }) => stdout.trim())).toEqual(numbers);
		expect(sshd.log.match(/Accepted publickey/g)).toHaveLength(1);
	});

	it("are all ended when they hang, however few sessions the server allows", async () => {
		const sshd = await desk.sshd({ config: ["MaxSessions 3"] });
		desk.know(sshd.known());
		const host = await desk.hosts({ h1: sshd.port }).host("h1", null);
		// The first ones show how many there are.
		await Promise.all(
			["1", "2", "3", "4", "5"].map((number) =>
				host.run(["echo", number], { timeoutMs }),
			),
		);
		const mark = `6${Date.now()}`;
		const controller = new AbortController();
		const { signal } = controller;
		const hung = Array.from({ length: 4 }, () =>
			failureOf(host.run(["sleep", mark], { timeoutMs: 600_000, signal })),
		);
		while (running(`sleep ${mark}`) < 2) await sleep(50);
		const reason = new Error("Ctrl-C");
		controller.abort(reason);
		expect(await Promise.all(hung)).toEqual(hung.map(() => reason));
		// The host's own limit is ten minutes away.
		while (running(`sleep ${mark}`) > 0) await sleep(50);
	});

	it("run again over a new connection when the server was restarted", async () => {
		const sshd = await desk.sshd();
		desk.know(sshd.known());
		const host = await desk.hosts({ h1: sshd.port }).host("h1", null);
		await host.run(["true"], { timeoutMs });
		const broken = host.run(["sleep", "60"], { timeoutMs });
		broken.catch(() => undefined);
		await host.run(["true"], { timeoutMs });
		await sshd.stop();
		await expect(broken).rejects.toMatchObject({
			...{ kind: "unreachable", node: "h1" },
			state: "whether that was done to its end is not known",
		});
		await sshd.listen();
		expect((await host.run(["echo", "on"], { timeoutMs })).stdout).toBe("on\n");
	});
});

function failureOf(promise: Promise<unknown>): Promise<unknown> {
	return promise.then(
		() => null,
		(error: unknown) => error,
	);
}

/** How many processes of this machine have this command line. */
function running(line: string): number {
	const { stdout } = spawnSync("ps", ["-eo", "args="], { encoding: "utf8" });
	return stdout.split("\n").filter((one) => one.trim() === line).length;
}
