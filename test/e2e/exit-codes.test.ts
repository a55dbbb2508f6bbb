import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exitCodes } from "../../src/errors.js";
import { ndjsonLines } from "../cli/ndjson-lines.js";
import { eventually, LocalCluster, type Outcome } from "./local-cluster.js";

let cluster: LocalCluster;
const seen = new Set<number | null>();

beforeAll(async () => {
	cluster = await LocalCluster.create({ portBase: 23_600 });
	await cluster.succeed(["up"]);
});

afterAll(() => cluster.dispose());

async function run(line: string): Promise<Outcome> {
	const outcome = await cluster.run(line.split(" "));
	seen.add(outcome.exitCode);
	return outcome;
}

async function expectCode(line: string, exitCode: number): Promise<Outcome> {
	const outcome = await run(line);
	expect({ line, ...outcome }).toMatchObject({ exitCode });
	return outcome;
}

/** Another operator, who holds the lock for as long as he says. */
async function takeLock(ttlMs: number): Promise<void> {
	const answer = await fetch(
		`http://127.0.0.1:${cluster.portBase + 12}/raftctl.admin.v1.AdminService/AcquireLock`,
		{
			method: "POST",
			headers: { "content-type": "application/json" },
			body: JSON.stringify({
				...{ holder: "bob@ci:7", host: "ci", nonce: "n", ttlMs },
				operation: "promote n3",
			}),
		},
	);
	expect(answer.status).toBe(200);
}

/** A roll that gets `signal` when its first node is drained; a SIGKILL leaves it unfinished. */
async function rollUntil(signal: NodeJS.Signals): Promise<Outcome> {
	const { child, done } = cluster.start([
		...["rolling-restart", "--yes", "--lock-wait", "40s", "-o", "ndjson"],
	]);
	let text = "";
	const listen = (piece: Buffer) => {
		text += piece;
		if (!/"step-started","step":"\w+\/drain"/.test(text)) return;
		// Once: the second signal would end it at once.
		child.stdout?.off("data", listen);
		child.kill(signal);
	};
	child.stdout?.on("data", listen);
	const outcome = await done;
	seen.add(outcome.exitCode);
	return outcome;
}

/** A roll that meets requests which never end at every node but the first. */
async function rollOntoLastingRequests(): Promise<Outcome> {
	const { child, done } = cluster.start([
		...["rolling-restart", "--yes", "--lock-wait", "40s", "-o", "ndjson"],
		...["--drain-timeout", "1s", "--close-over", "0s"],
	]);
	const lasting: Socket[] = [];
	let text = "";
	child.stdout?.on("data", (piece: Buffer) => {
		text += piece;
		const [first] = restartedIn(text);
		if (first === undefined || lasting.length > 0) return;
		for (const id of ["n1", "n2", "n3"].filter((one) => one !== first)) {
			const port = cluster.portBase + 10 * Number(id.slice(1)) + 1;
			lasting.push(lastingRequest(port));
		}
	});
	const outcome = await done;
	for (const socket of lasting) socket.destroy();
	return outcome;
}

/** Its body is announced and never comes. */
function lastingRequest(port: number): Socket {
	const socket = connect(port, "127.0.0.1");
	socket.on("error", () => undefined);
	socket.write(
		"POST /v1/command HTTP/1.1\r\nhost: node\r\ncontent-length: 100\r\n\r\n{",
	);
	return socket;
}

function restartedIn(stdout: string): string[] {
	const ends = stdout.matchAll(/"step-finished","step":"(\w+)\/restart"/g);
	return [...ends].map(([, id = ""]) => id);
}

describe("the exit code of raftctl, on a real cluster", () => {
	it("is 0 when it is done, 1 when there is no such key, 2 when it was typed wrongly", async () => {
		await expectCode("status", 0);
		await expectCode("kv get nothing", 1);
		await expectCode("status --nonsense", 2);
		await expectCode("drain n9", 2);
	});

	it("is 3 when a plan has something to do", async () => {
		await expectCode("down --dry-run --detailed-exitcode", 3);
		await expectCode("up --dry-run --detailed-exitcode", 0);
	});

	it("is 10 when the cluster is not healthy, 11 when a check says no", async () => {
		await expectCode("drain n2", 0);
		const { stdout } = await expectCode("health", 10);
		expect(stdout).toContain("n2 is draining");
		const { stderr } = await expectCode("rolling-restart --yes", 11);
		expect(stderr).toContain("raftctl undrain n2");
		await expectCode("undrain n2", 0);
	});

	it("is 12 when it took too long", async () => {
		await cluster.signal("n1", "SIGSTOP");
		try {
			await expectCode("kv put a b --node n1 --timeout 500ms", 12);
		} finally {
			await cluster.signal("n1", "SIGCONT");
		}
		await eventually(
			async () => (await run("health")).exitCode === 0,
			"all is well again",
		);
	});

	it("is 12 when a roll waited too long for connections to go; resume restarts the others alone", async () => {
		const outcome = await rollOntoLastingRequests();
		seen.add(outcome.exitCode);
		expect(outcome).toMatchObject({ exitCode: 12 });
		const { error } = JSON.parse(
			outcome.stdout.trim().split("\n").at(-1) ?? "",
		) as {
			readonly error: { readonly state: string; readonly next: string };
		};
		expect(error.state).toContain("restarted and back in service: ");
		expect(error.next).toContain("raftctl operation resume");
		const [done = ""] = restartedIn(outcome.stdout);
		const resumed = await expectCode(
			"operation resume --yes --lock-wait 40s -o ndjson",
			0,
		);
		expect(restartedIn(resumed.stdout).sort()).toEqual(
			["n1", "n2", "n3"].filter((id) => id !== done),
		);
		await expectCode("health", 0);
	}, 180_000);

	it("is 13 when another operates, who is named", async () => {
		await takeLock(120_000);
		const { stderr } = await expectCode("drain n3", 13);
		expect(stderr).toContain("promote n3 by bob@ci:7");
		await expectCode("lock release --yes", 0);
		await expectCode("transfer-leader", 0);
	});

	it.each([
		["SIGINT", 130, "interrupted"],
		["SIGTERM", 143, "terminated"],
	] as const)(
		"is that of %s: %i, and nothing stays drained",
		async (signal, code, kind) => {
			const { exitCode, stdout } = await rollUntil(signal);
			expect(ndjsonLines(stdout).at(-1)).toMatchObject({
				...{ type: "error", error: { kind } },
			});
			expect(exitCode).toBe(code);
			const { stdout: status } = await run("status --json");
			const { nodes } = JSON.parse(status);
			expect(
				nodes.filter(({ draining }: { draining: boolean }) => draining),
			).toEqual([]);
		},
	);

	it("is 14 when something is unfinished, until it is resumed", async () => {
		expect((await rollUntil("SIGKILL")).exitCode).toBeNull();
		const { stderr } = await expectCode(
			"rolling-restart --yes --lock-wait 40s",
			14,
		);
		expect(stderr).toContain("raftctl operation resume");
		await expectCode("operation resume --yes --lock-wait 40s", 0);
		await expectCode("health", 0);
	}, 180_000);

	it("is 20 when nobody answers", async () => {
		await expectCode("down --yes", 0);
		await expectCode("status", 20);
	});

	it("was each of those that are documented", () => {
		seen.delete(null);
		expect([...seen].sort((a, b) => Number(a) - Number(b))).toEqual([
			...new Set([0, ...Object.values(exitCodes)]),
		]);
	});
});
