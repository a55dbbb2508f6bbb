import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
	appendFileSync,
	chmodSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { HostEntry, Inventory } from "../../../src/config/inventory.js";
import { SshHosts } from "../../../src/hosts/ssh/ssh-hosts.js";
import type { SshSurroundings } from "../../../src/hosts/ssh/surroundings.js";

type KeyType = "ed25519" | "rsa" | "ecdsa";

interface SshdOptions {
	/** Lines of sshd_config. */
	readonly config?: readonly string[];
	readonly hostKeys?: readonly KeyType[];
	/** Listens there again. */
	readonly port?: number;
}

/** A real sshd on a free port of 127.0.0.1, with keys of its own, for the user that runs the tests. */
export class Sshd {
	readonly directory: string;
	readonly port: number;
	#process: ReturnType<typeof spawn> | null = null;
	#log = "";

	private constructor(directory: string, port: number) {
		this.directory = directory;
		this.port = port;
	}

	static async start(desk: Desk, options: SshdOptions = {}): Promise<Sshd> {
		const directory = mkdtempSync(join(desk.directory, "sshd-"));
		const sshd = new Sshd(directory, options.port ?? (await freePort()));
		const { config = [], hostKeys = ["ed25519"] } = options;
		const keys = hostKeys.map((type) => {
			makeKey(sshd.hostKey(type), { type });
			return `HostKey ${sshd.hostKey(type)}`;
		});
		writeFileSync(
			join(directory, "authorized_keys"),
			readFileSync(`${desk.key}.pub`),
		);
		const lines = [
			...[`Port ${sshd.port}`, "ListenAddress 127.0.0.1", "PidFile none"],
			...[`AuthorizedKeysFile ${directory}/authorized_keys`, "StrictModes no"],
			...["PasswordAuthentication no", "KbdInteractiveAuthentication no"],
			...["UsePAM no", "PermitRootLogin yes", "UseDNS no"],
			...["MaxStartups 100:30:200", "LogLevel VERBOSE", ...keys, ...config],
		];
		writeFileSync(join(directory, "sshd_config"), `${lines.join("\n")}\n`);
		await sshd.listen();
		return sshd;
	}

	hostKey(type: KeyType): string {
		return join(this.directory, `host_${type}`);
	}

	/** Its line for a known_hosts file. */
	known(type: KeyType = "ed25519", name = `[127.0.0.1]:${this.port}`): string {
		const [kind, key] = readFileSync(`${this.hostKey(type)}.pub`, "utf8").split(
			" ",
		);
		return `${name} ${kind} ${key}\n`;
	}

	authorize(publicKey: string): void {
		writeFileSync(join(this.directory, "authorized_keys"), publicKey);
	}

	get log(): string {
		return this.#log;
	}

	/** `more` is a line of sshd_config from now on. */
	async listen(more = ""): Promise<void> {
		if (userInfo().uid === 0) mkdirSync("/run/sshd", { recursive: true });
		const config = join(this.directory, "sshd_config");
		if (more !== "" && !readFileSync(config, "utf8").includes(more))
			appendFileSync(config, `${more}\n`);
		const child = spawn("/usr/sbin/sshd", ["-D", "-e", "-f", config], {
			stdio: ["ignore", "ignore", "pipe"],
		});
		this.#process = child;
		child.stderr?.on("data", (chunk: Buffer) => {
			this.#log += chunk.toString();
		});
		for (let tries = 0; tries < 600; tries += 1) {
			if (child.exitCode !== null) throw new Error(this.#log);
			if (await answers(this.port)) return;
			await sleep(50);
		}
		throw new Error(`sshd does not listen: ${this.#log}`);
	}

	/** The processes of all that is logged in, as if the machine had lost them. */
	dropSessions(): void {
		for (const pid of sessionsOf(this.#process?.pid ?? 0))
			spawnSync("kill", ["-KILL", String(pid)]);
	}

	/** It listens no more, and nobody is logged in. */
	async stop(): Promise<void> {
		const child = this.#process;
		this.#process = null;
		if (child === null) return;
		const sessions = sessionsOf(child.pid ?? 0);
		const ended = child.exitCode === null ? once(child, "exit") : null;
		child.kill("SIGKILL");
		await ended;
		for (const pid of sessions) spawnSync("kill", ["-KILL", String(pid)]);
	}
}

/** Where somebody sits: keys, known_hosts, a configuration, an agent, and the hosts of a cluster file. */
export class Desk {
	readonly directory = mkdtempSync(join(tmpdir(), "raftctl-ssh-"));
	readonly key = join(this.directory, ".ssh", "id_ed25519");
	readonly knownHosts = join(this.directory, ".ssh", "known_hosts");
	readonly config = join(this.directory, ".ssh", "config");
	readonly asked: string[] = [];
	passphrases: (string | null)[] = [];
	agentSocket: string | null = null;
	readonly #ends: (() => unknown)[] = [];

	constructor() {
		mkdirSync(join(this.directory, ".ssh"), { mode: 0o700 });
		makeKey(this.key, {});
	}

	async sshd(options: SshdOptions = {}): Promise<Sshd> {
		const sshd = await Sshd.start(this, options);
		this.#ends.push(() => sshd.stop());
		return sshd;
	}

	know(...lines: readonly string[]): void {
		const before = existsSync(this.knownHosts)
			? readFileSync(this.knownHosts, "utf8")
			: "";
		writeFileSync(this.knownHosts, before + lines.join(""));
	}

	/** A real agent with these keys. */
	agent(...files: readonly string[]): void {
		const socket = join(this.directory, "agent");
		const child = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
		this.#ends.push(() => child.kill());
		this.agentSocket = socket;
		while (!existsSync(socket)) spawnSync("sleep", ["0.05"]);
		for (const file of files)
			execFileSync("ssh-add", ["-q", file], {
				env: { ...process.env, SSH_AUTH_SOCK: socket },
			});
	}

	/** The hosts by name; a number is a port of 127.0.0.1. */
	hosts(
		entries: Readonly<Record<string, number | Partial<HostEntry["ssh"]>>>,
		ssh: Partial<Inventory["ssh"]> = {},
	): SshHosts {
		const hosts = new SshHosts(
			{
				hosts: Object.entries(entries).map(([name, own]) => ({
					...{ name, address: "127.0.0.1" },
					ssh: {
						...{ address: "127.0.0.1", user: null, port: null },
						...{ identityFiles: null, jump: null },
						...(typeof own === "number" ? { port: own } : own),
					},
				})),
				ssh: {
					...{ user: null, identityFiles: null, config: "~/.ssh/config" },
					// Not the machine's own /etc/ssh/ssh_known_hosts: its names are none of these.
					...{ knownHosts: null, hostKeys: "strict" as const, jump: null },
					...{ connectTimeoutMs: 30_000, ...ssh },
				},
			},
			this.surroundings,
		);
		this.#ends.unshift(() => hosts.close());
		return hosts;
	}

	get surroundings(): SshSurroundings {
		return {
			...{ home: this.directory, user: userInfo().username },
			agentSocket: this.agentSocket,
			askPassphrase: async (file) => {
				this.asked.push(file);
				return this.passphrases.shift() ?? null;
			},
		};
	}

	async close(): Promise<void> {
		for (const end of this.#ends) await end();
		rmSync(this.directory, { recursive: true, force: true });
	}
}

interface KeyOptions {
	readonly type?: KeyType;
	readonly passphrase?: string;
	/** The old form, which shows nothing of itself. */
	readonly pem?: boolean;
}

export function makeKey(
	file: string,
	{ type = "ed25519", passphrase = "", pem = false }: KeyOptions,
): void {
	const bits = type === "rsa" ? ["-b", "2048"] : [];
	const form = pem ? ["-m", "PEM"] : [];
	execFileSync("ssh-keygen", [
		...["-q", "-t", type, ...bits, ...form],
		// Few rounds: to try a passphrase is slow on purpose.
		...["-a", "2", "-N", passphrase, "-C", "test", "-f", file],
	]);
	chmodSync(file, 0o600);
}

export async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as { readonly port: number };
	server.close();
	await once(server, "close");
	return port;
}

/** Whether a line of SSH comes. */
function answers(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, "127.0.0.1");
		socket.once("data", () => {
			socket.destroy();
			resolve(true);
		});
		socket.once("error", () => resolve(false));
		socket.once("close", () => resolve(false));
	});
}

/** sshd's own processes for who is logged in, not what they run: that notices by itself. */
function sessionsOf(pid: number): readonly number[] {
	const { stdout } = spawnSync("ps", ["-eo", "pid=,ppid=,comm="], {
		encoding: "utf8",
	});
	const found = stdout
		.trim()
		.split("\n")
		.map((line) => line.trim().split(/\s+/))
		.filter(([, , name]) => name?.startsWith("sshd"));
	const below = (parent: number): number[] =>
		found
			.filter(([, of]) => Number(of) === parent)
			.flatMap(([own]) => [Number(own), ...below(Number(own))]);
	return below(pid);
}
