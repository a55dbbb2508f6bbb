import { type ChildProcess, spawn } from "node:child_process";
import {
	copyFile,
	mkdir,
	mkdtemp,
	rm,
	symlink,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	compose,
	contentOf,
	execForm,
	inImage,
	nodeNames,
	root,
} from "../templates/containers.js";
import { lacks } from "./front-cluster.js";
import { eventually } from "./local-cluster.js";

/**
 * The commands of image and compose file as processes of this machine: no daemon of containers is asked for. Each container
 * is played by an address of loopback, and what it has below / by a directory.
 */
const limitMs = 120_000;
const addresses: Readonly<Record<string, string>> = {
	...{ n1: "127.0.7.1", n2: "127.0.7.2", n3: "127.0.7.3" },
	haproxy: "127.0.7.4",
	raftctl: "127.0.7.5",
};
const nodes = nodeNames.map((name) => addresses[name] ?? "");
const front = `http://${addresses.haproxy}:8080`;

let directory: string;
const running = new Map<string, ChildProcess>();

beforeAll(async () => {
	directory = await mkdtemp(join(tmpdir(), "raftctl-containers-"));
	await mkdir(join(directory, "app/node_modules"), { recursive: true });
	await symlink(root, join(directory, "app/node_modules/raftctl"));
	await copyFile(
		join(root, "templates/machine/machine.js"),
		join(directory, "app/machine.js"),
	);
	await writeFile(join(directory, "app/package.json"), '{"type":"module"}');
	for (const name of nodeNames) await start(name, nodeArgv(name));
	for (const name of nodeNames) await healthy(name);
	if (!lacks("haproxy")) await start("haproxy", haproxyArgv());
}, limitMs);

afterAll(async () => {
	for (const child of running.values()) child.kill("SIGKILL");
	await rm(directory, { recursive: true, force: true });
});

/** A path or a text of a container, as it is on this machine. */
function outside(container: string, text: string): string {
	const own = addresses[container] ?? "";
	const places = text
		.replaceAll("/app/", join(directory, "app/"))
		.replaceAll(/(?<!\.)\/(var\/lib|etc|usr\/local\/etc)\//g, (path) =>
			join(directory, container, path, "/"),
		);
	// To raftctl no host of its own is at a loopback address, but by this form of one.
	const written = (address: string) =>
		container === "raftctl" && nodes.includes(address)
			? `[::ffff:${address}]`
			: address;
	return Object.entries(addresses)
		.reduce(
			(so, [name, address]) =>
				so.replaceAll(
					new RegExp(`\\b${name}:(?=\\d)`, "g"),
					`${written(address)}:`,
				),
			places,
		)
		.replaceAll("0.0.0.0:", `${own}:`)
		.replaceAll("127.0.0.1:7", `${own}:7`)
		.replaceAll(/(bind |ipv4@)\*:/g, `$1${own}:`);
}

/** Lays a service's files where its process looks for them. */
async function configured(container: string): Promise<void> {
	for (const { source, target } of compose.services[container]?.configs ?? []) {
		const path = outside(container, target);
		await mkdir(join(path, ".."), { recursive: true });
		await writeFile(path, outside(container, contentOf(source)));
	}
}

function nodeArgv(container: string): readonly string[] {
	const words = [inImage("ENTRYPOINT"), inImage("CMD")].flatMap(execForm);
	return words.map((word) => outside(container, word));
}

function haproxyArgv(): readonly string[] {
	const { target = "" } = compose.services.haproxy?.configs?.[0] ?? {};
	return ["/usr/sbin/haproxy", "-W", "-db", "-f", outside("haproxy", target)];
}

async function start(
	container: string,
	argv: readonly string[],
): Promise<ChildProcess> {
	await configured(container);
	const [program = "", ...args] = argv;
	const child = spawn(program === "node" ? process.execPath : program, args, {
		cwd: directory,
		stdio: "ignore",
	});
	running.set(container, child);
	return child;
}

function ended(child: ChildProcess): Promise<number | null> {
	if (child.exitCode !== null) return Promise.resolve(child.exitCode);
	return new Promise((resolve) => child.once("exit", resolve));
}

interface Said {
	readonly code: number | null;
	readonly stdout: string;
	readonly stderr: string;
}

async function once(argv: readonly string[], env = {}): Promise<Said> {
	const [program = "", ...args] = argv;
	const child = spawn(program === "node" ? process.execPath : program, args, {
		cwd: directory,
		env: { PATH: process.env.PATH, HOME: directory, ...env },
		stdio: ["ignore", "pipe", "pipe"],
	});
	let [stdout, stderr] = ["", ""];
	child.stdout.on("data", (chunk) => {
		stdout += chunk;
	});
	child.stderr.on("data", (chunk) => {
		stderr += chunk;
	});
	const code = await new Promise<number | null>((resolve) =>
		child.on("close", resolve),
	);
	return { code, stdout, stderr };
}

/** What `docker compose run --rm raftctl …` runs. */
async function raftctl(...words: readonly string[]): Promise<Said> {
	await configured("raftctl");
	const { entrypoint = [], environment = {} } = compose.services.raftctl ?? {};
	const env = Object.entries(environment).map(([name, value]) => [
		name,
		outside("raftctl", value),
	]);
	return once(
		[...entrypoint.map((word) => outside("raftctl", word)), ...words],
		Object.fromEntries(env),
	);
}

/** Once raftctl sees every node, ready. */
function leaderNow(): Promise<string> {
	return eventually(async () => {
		const { stdout } = await raftctl("status", "--json");
		const { leader, nodes } = JSON.parse(stdout);
		const isWhole = nodes.every(({ ready }: { ready: boolean }) => ready);
		return isWhole && typeof leader === "string" ? leader : null;
	}, "a cluster that is whole");
}

/** The image's own check, as the engine of containers would run it. */
async function check(container: string): Promise<number | null> {
	const argv = execForm(inImage("HEALTHCHECK"));
	return (await once(argv.map((word) => outside(container, word)))).code;
}

function healthy(container: string): Promise<unknown> {
	return eventually(
		async () => (await check(container)) === 0,
		`${container} to be healthy`,
		60_000,
	);
}

async function open(account: string): Promise<number> {
	const answer = await fetch(`${front}/v1/command`, {
		method: "POST",
		body: JSON.stringify({ op: "open", account, amount: "1" }),
	});
	await answer.arrayBuffer();
	return answer.status;
}

describe("the containers of the templates", () => {
	it("are healthy once they are ready, and not before they run", async () => {
		for (const name of nodeNames) expect(await check(name)).toBe(0);
		expect(await check("raftctl")).toBe(1);
	});

	it("are a cluster that raftctl beside them sees", async () => {
		expect(nodeNames).toContain(await leaderNow());
	});

	it(
		"end by themselves within their grace, having handed over, and come back to their data",
		async () => {
			const leader = await leaderNow();
			const child = running.get(leader) as ChildProcess;
			const grace = compose.services[leader]?.stop_grace_period ?? "";
			const killer = setTimeout(
				() => child.kill("SIGKILL"),
				Number.parseInt(grace, 10) * 1000,
			);
			child.kill(inImage("STOPSIGNAL") as NodeJS.Signals);
			expect(await ended(child)).toBe(0);
			clearTimeout(killer);
			await start(leader, nodeArgv(leader));
			await healthy(leader);
			expect(await leaderNow()).not.toBe(leader);
		},
		limitMs,
	);

	it("hand leadership over when raftctl asks for it", async () => {
		const leader = await leaderNow();
		const to = nodeNames.find((name) => name !== leader) ?? "";
		const { code } = await raftctl("transfer-leader", "--to", to, "--yes");
		expect(code).toBe(0);
	});

	it("are restarted by nobody but their engine: raftctl refuses, and starts nothing", async () => {
		const refused = await raftctl("rolling-restart", "--yes", "--json");
		expect(refused.code).toBe(20);
		for (const name of nodeNames)
			expect(running.get(name)?.exitCode, name).toBeNull();
		await leaderNow();
	});
});

describe.skipIf(lacks("haproxy"))("HAProxy among the containers", () => {
	it("takes its configuration, by its own check", async () => {
		const test = compose.services.haproxy?.healthcheck?.test as string[];
		const argv = test.slice(1).map((word) => outside("haproxy", word));
		const { code, stderr } = await once([
			`/usr/sbin/${argv[0]}`,
			...argv.slice(1),
		]);
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	});

	it(
		"leads requests to nodes that are ready, while each is stopped and comes back",
		async () => {
			await eventually(
				async () => (await open("first").catch(() => 503)) === 200,
				"the way through HAProxy",
			);
			const failures: string[] = [];
			let isOver = false;
			let sent = 0;
			const traffic = (async () => {
				while (!isOver) {
					const status = await open(`account-${sent++}`);
					if (status !== 200) failures.push(`${status}`);
				}
			})().catch((error: Error) => failures.push(error.message));
			for (const name of nodeNames) {
				const child = running.get(name) as ChildProcess;
				child.kill("SIGTERM");
				expect(await ended(child)).toBe(0);
				await start(name, nodeArgv(name));
				await healthy(name);
				await eventually(
					async () =>
						JSON.parse(
							(await raftctl("status", "--json")).stdout,
						).balancer.backends.every(
							({ state }: { state: string }) => state === "up",
						),
					`HAProxy to take ${name} back`,
				);
			}
			isOver = true;
			await traffic;
			expect(failures).toEqual([]);
			expect(sent).toBeGreaterThan(100);
		},
		limitMs * 2,
	);
});
