import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { localSocket } from "../../src/balancers/haproxy/runtime-socket.js";
import { eventually, LocalCluster } from "./local-cluster.js";

/** Where Debian has them; a person's machine may lack them, the one where the project is proven may not. */
export function lacks(program: string): boolean {
	const found = spawnSync("/bin/sh", ["-c", `command -v ${program}`], {
		env: { PATH: `${process.env.PATH}:/usr/sbin` },
	});
	return found.status !== 0 && process.env.CI !== "true";
}

/** A cluster of real processes behind a real HAProxy or nginx of this machine, run by the test. */
export class FrontCluster {
	#front: ChildProcess | null = null;

	private constructor(
		readonly cluster: LocalCluster,
		readonly kind: "haproxy" | "nginx",
	) {}

	static async create(options: {
		kind: "haproxy" | "nginx";
		portBase: number;
		/** Lines below `balancer:`, beside the ones that every one has. */
		keys?: readonly string[];
	}): Promise<FrontCluster> {
		const { kind, portBase, keys = [] } = options;
		const cluster = await LocalCluster.create({ portBase });
		const front = new FrontCluster(cluster, kind);
		const text = await readFile(cluster.file, "utf8");
		const lines = [
			"balancer:",
			`  kind: ${kind}`,
			`  listen: "*:${portBase}"`,
			...(kind === "haproxy" ? front.#haproxyKeys() : front.#nginxKeys()),
			...keys.map((key) => `  ${key}`),
		];
		await writeFile(
			cluster.file,
			text.replace("balancer: embedded", lines.join("\n")),
		);
		if (kind === "nginx") await mkdir(front.path("conf.d"));
		await front.writeBase();
		return front;
	}

	/** The same, started, with raftctl's configuration applied and three nodes up behind it. */
	static async started(
		options: Parameters<typeof FrontCluster.create>[0],
	): Promise<FrontCluster> {
		const front = await FrontCluster.create(options);
		await front.startFront();
		await front.cluster.succeed(["balancer", "apply"]);
		await front.cluster.succeed(["up"]);
		return front;
	}

	/** Where applications connect. */
	get address(): string {
		return `127.0.0.1:${this.cluster.portBase}`;
	}

	path(name: string): string {
		return join(this.cluster.directory, name);
	}

	/** The configuration as its owner has it before raftctl comes. */
	async writeBase(level = "admin"): Promise<void> {
		if (this.kind === "haproxy")
			await writeFile(
				this.path("haproxy.cfg"),
				`global\n    stats socket ${this.path("haproxy.sock")} mode 660 level ${level}\n`,
			);
		else
			await writeFile(
				this.path("nginx.conf"),
				`pid ${this.path("nginx.pid")};\nerror_log ${this.path("nginx.log")};\nworker_processes 2;\nevents {}\nhttp {\n    access_log off;\n    include ${this.path("conf.d")}/*.conf;\n}\n`,
			);
	}

	async startFront(): Promise<void> {
		const argv =
			this.kind === "haproxy"
				? ["haproxy", "-W", "-f", this.path("haproxy.cfg")].concat([
						"-p",
						this.path("haproxy.pid"),
					])
				: ["nginx", "-c", this.path("nginx.conf"), "-g", "daemon off;"];
		const [program = "", ...args] = argv;
		this.#front = spawn(`/usr/sbin/${program}`, args, { stdio: "ignore" });
		const pid = this.path(`${this.kind}.pid`);
		await eventually(
			() => readFile(pid, "utf8").catch(() => null),
			`the process of ${this.kind}`,
		);
	}

	/** Has it read its configuration again, as somebody else on the machine would. */
	async reloadByHand(): Promise<void> {
		this.#front?.kill(this.kind === "haproxy" ? "SIGUSR2" : "SIGHUP");
	}

	/** What HAProxy answers at its runtime socket. */
	say(command: string): Promise<string> {
		return localSocket(this.path("haproxy.sock")).ask(command);
	}

	async stopFront(): Promise<void> {
		const front = this.#front;
		if (front === null) return;
		this.#front = null;
		const gone = new Promise((resolve) => front.once("exit", resolve));
		front.kill(this.kind === "haproxy" ? "SIGTERM" : "SIGINT");
		await gone;
	}

	async dispose(): Promise<void> {
		await this.stopFront();
		await this.cluster.dispose();
	}

	#haproxyKeys(): string[] {
		return [
			`  config: ${this.path("haproxy.cfg")}`,
			`  socket: ${this.path("haproxy.sock")}`,
			"  checkInterval: 200ms",
			`  reload: [sh, -c, 'kill -USR2 "$(cat "$0")"', ${this.path("haproxy.pid")}]`,
		];
	}

	#nginxKeys(): string[] {
		return [
			`  config: ${this.path("conf.d/raftctl.conf")}`,
			`  main: ${this.path("nginx.conf")}`,
			`  pid: ${this.path("nginx.pid")}`,
			`  reload: [sh, -c, 'kill -HUP "$(cat "$0")"', ${this.path("nginx.pid")}]`,
		];
	}
}
