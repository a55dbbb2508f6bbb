import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, rm, rmdir } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { OperatorError } from "../../src/errors.js";
import type { ControlGroup } from "./control-group.js";
import { type Overlay, writeOverlay } from "./overlay.js";
import {
	attempt,
	type ProgramOptions,
	type ProgramResult,
	run,
} from "./program.js";
import { until } from "./until.js";

/** One machine of the lab: systemd and all, in namespaces of its own. */
export interface Machine {
	readonly name: string;
	readonly address: string;
	/** Its port of the bridge. */
	readonly port: string;
	state(): Promise<"off" | "frozen" | "up">;
	/** Resolves once its sshd answers. Its disks are as they were left; without any it gets new ones. */
	boot(): Promise<void>;
	/** Resolves once its sshd answers. */
	reachable(): Promise<void>;
	/**
	 * Ends all of it at once. What it wrote is kept, synced or not: the memory that files are cached in is this
	 * machine's, which stays on.
	 */
	powerOff(): Promise<void>;
	/** Of a machine that is off: its disks. */
	wipe(): Promise<void>;
	freeze(): Promise<void>;
	thaw(): Promise<void>;
	/** Runs as root inside, whatever becomes of its network. */
	exec(
		argv: readonly string[],
		options?: ProgramOptions,
	): Promise<ProgramResult>;
	/** The same, where anything but success is an error; gives back what it wrote. */
	must(argv: readonly string[], options?: ProgramOptions): Promise<string>;
	/** What precedes a command to run it inside, for who wants its own terminal on it. */
	entry(): Promise<readonly string[]>;
}

export interface MachineOptions {
	readonly name: string;
	readonly address: string;
	/** What the kernel and systemd-nspawn know it by; at most 12 letters. */
	readonly fullName: string;
	/** Where its disks and its console's log lie. */
	readonly directory: string;
	readonly image: () => Promise<string>;
	readonly overlay: () => Promise<Overlay>;
	readonly bridge: string;
	readonly group: ControlGroup;
	/** Of the disk at /var/lib/raftctl, which alone is limited. */
	readonly stateBytes: number;
}

/** On a machine with other work to do; else it takes two seconds. */
const bootLimitMs = 90_000;
const releaseLimitMs = 10_000;
const shutdownLimitMs = 30_000;
/** What systemd calls itself that is not on its way out; while it begins it answers nothing. */
const staying = ["initializing", "starting", "running", "degraded"];

/**
 * The mounts are made in a namespace that ends with the machine, so that none can stay behind, and the control group is
 * joined first, so that there is no process that it does not hold.
 */
const bootScript = `
image=$1 here=$2 name=$3 bridge=$4
shift 4
for group; do echo $$ >"$group/cgroup.procs"; done
mount -t overlay -o "lowerdir=$image,upperdir=$here/upper,workdir=$here/work" overlay "$here/root"
mount -o loop "$here/state" "$here/root/var/lib/raftctl"
exec systemd-nspawn --quiet --boot --settings=no --register=no --keep-unit --link-journal=no --resolv-conf=off \\
	--timezone=off --console=passive --machine="$name" --directory="$here/root" --network-bridge="$bridge"
`;

export function machine(options: MachineOptions): Machine {
	const { name, address, fullName, directory, group } = options;
	const port = `vb-${fullName}`;
	const state = async () => {
		if ((await leaderOf(group)) === null) return "off";
		return (await group.isFrozen()) ? "frozen" : "up";
	};
	const powerOff = async () => {
		await group.kill();
		await release({ port, fullName, disk: join(directory, "state") });
		await group.remove();
	};
	const entry = async () => {
		const leader = await leaderOf(group);
		if (leader === null)
			throw new OperatorError("unreachable", `${name} is off`, { node: name });
		return [
			...["nsenter", "--all", "--target", `${leader}`],
			...["env", "-i", "HOME=/root", "TERM=xterm", "LANG=C.UTF-8"],
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		];
	};
	/** False once it is off; one that is shutting down is waited for: for a while it looks as if it were up. */
	const stays = async () => {
		let word = "";
		const isDecided = async () => {
			if ((await leaderOf(group)) === null) return true;
			const asked = [...(await entry()), "systemctl", "is-system-running"];
			word = (await attempt(asked).catch(() => null))?.stdout ?? "";
			return staying.includes(word.trim());
		};
		await until(isDecided, shutdownLimitMs, {
			what: `${name} to be up, or off`,
			node: name,
		}).catch(() => undefined);
		return (await leaderOf(group)) !== null && staying.includes(word.trim());
	};
	const reachable = (answers: () => Promise<boolean>) =>
		until(answers, bootLimitMs, {
			what: `sshd of ${name} (${join(directory, "console")})`,
			node: name,
		});
	return {
		name,
		address,
		port,
		state,
		entry,
		async boot() {
			if ((await state()) === "frozen" || (await stays())) return;
			// One that has shut itself down may still hold its port and disk.
			await powerOff();
			await prepareDisks(options);
			await group.create();
			const hasEnded = await spawnDetached(directory, [
				...["unshare", "--mount", "--propagation", "private"],
				...["sh", "-euc", bootScript, fullName],
				...[await options.image(), directory, fullName, options.bridge],
				...group.directories,
			]);
			const answers = async () => {
				if (hasEnded()) throw await bootFailure(name, directory);
				return await answersSsh(address);
			};
			await reachable(answers);
		},
		reachable: () => reachable(() => answersSsh(address)),
		powerOff,
		wipe: () => rm(directory, { recursive: true, force: true }),
		freeze: () => group.freeze(),
		thaw: () => group.thaw(),
		exec: async (argv, limits) =>
			await attempt([...(await entry()), ...argv], limits),
		must: async (argv, limits) =>
			await run([...(await entry()), ...argv], limits),
	};
}

/** The process that is its pid 1. */
async function leaderOf(group: ControlGroup): Promise<number | null> {
	for (const pid of await group.processes()) {
		const status = await readFile(`/proc/${pid}/status`, "utf8").catch(
			() => "",
		);
		if (/^NSpid:\t\d+\t1$/m.test(status)) return pid;
	}
	return null;
}

async function prepareDisks(options: MachineOptions): Promise<void> {
	const { directory, stateBytes } = options;
	const disk = join(directory, "state");
	if (existsSync(disk)) return;
	for (const part of ["root", "work"])
		await mkdir(join(directory, part), { recursive: true });
	await writeOverlay(join(directory, "upper"), await options.overlay());
	const partial = `${disk}.partial`;
	const file = await open(partial, "w");
	await file.truncate(stateBytes);
	await file.close();
	// No share of it for root, so that it is full for everybody at the same byte.
	await run(["mkfs.ext4", "-q", "-F", "-m", "0", partial]);
	// Last: a machine with this file has everything else.
	await run(["mv", partial, disk]);
}

const consoleTailBytes = 2_000;

async function bootFailure(
	name: string,
	directory: string,
): Promise<OperatorError> {
	const written = await readFile(join(directory, "console"), "utf8");
	return new OperatorError("unexpected", `${name} did not boot`, {
		node: name,
		state: written.slice(-consoleTailBytes).trim(),
		next: "docs/lab.md says what the lab needs",
	});
}

/** It outlives whoever started it, and has nothing of its environment. Returns what tells whether it has ended. */
async function spawnDetached(
	directory: string,
	[program = "", ...args]: readonly string[],
): Promise<() => boolean> {
	const console = await open(join(directory, "console"), "a");
	try {
		const child = spawn(program, args, {
			cwd: "/",
			detached: true,
			stdio: ["ignore", console.fd, console.fd],
			env: { PATH: process.env.PATH },
		});
		await new Promise((resolve, reject) => {
			child.once("spawn", resolve);
			child.once("error", reject);
		});
		child.unref();
		return () => child.exitCode !== null || child.signalCode !== null;
	} finally {
		await console.close();
	}
}

/** The kernel takes a dead machine's port and disk back when it gets round to it; the next boot needs both. */
async function release({
	port,
	fullName,
	disk,
}: {
	readonly port: string;
	readonly fullName: string;
	readonly disk: string;
}): Promise<void> {
	await attempt(["ip", "link", "delete", port]);
	await until(
		async () =>
			!existsSync(`/sys/class/net/${port}`) && !(await isLooped(disk)),
		releaseLimitMs,
		{ what: `${port} and ${disk} to be free` },
	);
	// systemd-nspawn leaves it behind when it is killed, and where /run is no tmpfs.
	await rmdir(`/run/systemd/nspawn/propagate/${fullName}`).catch(() => {});
}

async function isLooped(disk: string): Promise<boolean> {
	if (!existsSync(disk)) return false;
	return (await run(["losetup", "--associated", disk])) !== "";
}

const answerLimitMs = 2_000;

/** Whether an SSH server greets there. */
export function answersSsh(address: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect({ host: address, port: 22 });
		const end = (answers: boolean) => {
			socket.destroy();
			resolve(answers);
		};
		socket.setTimeout(answerLimitMs, () => end(false));
		socket.once("error", () => end(false));
		socket.once("close", () => end(false));
		socket.once("data", (data) =>
			end(data.toString("latin1").startsWith("SSH-")),
		);
	});
}
