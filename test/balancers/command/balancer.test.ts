import {
	chmodSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commandBalancer } from "../../../src/balancers/command/balancer.js";
import type { CommandBalancerEntry } from "../../../src/config/inventory.js";
import { OperatorError } from "../../../src/errors.js";
import { localHost } from "../../../src/hosts/local.js";
import { inventoryWith } from "../inventory.js";

let directory: string;
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-command-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const entry: Omit<CommandBalancerEntry, "directory"> = {
	kind: "command",
	argv: ["./balancer.sh", "orders"],
	listen: "orders.example.net:8080",
	timeoutMs: 2_000,
	reactionMs: 30_000,
};

/** A script that writes down what it is given and does as `body` says. */
function balancer(body: string) {
	const path = join(directory, "balancer.sh");
	writeFileSync(
		path,
		`#!/bin/sh\nread -r request\nprintf '%s|%s\\n' "$*" "$request" >> calls\n${body}\n`,
	);
	chmodSync(path, 0o755);
	const inventory = inventoryWith([
		...["kind: command", "command: [./balancer.sh]", "address: a.example:80"],
	]);
	return commandBalancer(
		// Run where the script lies, so that it finds what it writes.
		{
			...entry,
			directory,
			argv: ["/usr/bin/env", "-C", directory, ...entry.argv],
		},
		{ inventory, local: async () => localHost() },
	);
}

function calls(): { words: string; request: Record<string, unknown> }[] {
	return readFileSync(join(directory, "calls"), "utf8")
		.trim()
		.split("\n")
		.map((line) => {
			const at = line.indexOf("|");
			return {
				words: line.slice(0, at),
				request: JSON.parse(line.slice(at + 1)),
			};
		});
}

async function failureOf(work: Promise<unknown>): Promise<OperatorError> {
	const error = await work.then(
		() => null,
		(cause: unknown) => cause,
	);
	if (error instanceof OperatorError) return error;
	throw new Error(`it ended with ${error}`);
}

describe("a balancer behind a command", () => {
	it("is told a word as the last argument and the rest on its standard input", async () => {
		const told = balancer("exit 0");
		await told.told?.withdraw("n2", 15_000);
		await told.told?.admit("n2");
		await told.prefer(["n1"], 10_000);
		expect(calls()).toEqual([
			{
				words: "orders withdraw",
				request: {
					version: 1,
					cluster: "orders",
					clusterId: "orders-1",
					nodes: [
						{ id: "n1", client: "10.0.0.1:7111", admin: "10.0.0.1:7112" },
						{
							...{ id: "n2", client: "node2.example.net:7121" },
							admin: "node2.example.net:7122",
						},
						{ id: "n3", client: "10.0.0.3:7131", admin: "10.1.0.3:7132" },
					],
					node: "n2",
					leaseMs: 15_000,
				},
			},
			{
				words: "orders admit",
				request: expect.objectContaining({ node: "n2" }),
			},
			{
				words: "orders prefer",
				request: expect.objectContaining({
					preferred: ["n1"],
					leaseMs: 10_000,
				}),
			},
		]);
	});

	it("says what it has", async () => {
		const told = balancer(
			`echo '{"backends":[{"node":"n1","state":"up","connections":3},{"node":"n2","state":"drain","reason":"deregistering"}]}'`,
		);
		expect(await told.backends()).toEqual([
			{ node: "n1", state: "up", connections: 3, reason: "", admitting: true },
			{
				...{ node: "n2", state: "drain", connections: 0 },
				...{ reason: "deregistering", admitting: false },
			},
		]);
	});

	it.each([
		["echo hello", /it is not JSON/],
		[
			`echo '{"backends":[{"node":"n1","state":"fine"}]}'`,
			/backends\.0\.state/,
		],
		["exit 0", /it is not JSON/],
	])("is not believed when it answers with %s", async (body, reason) => {
		const { kind, message } = await failureOf(balancer(body).backends());
		expect(kind).toBe("unreachable");
		expect(message).toMatch(reason);
	});

	it("may leave out what can be done without, by exit code 3", async () => {
		const told = balancer("exit 3");
		await told.prefer(["n1"], 1_000);
		await told.reload();
		const { message } = await failureOf(
			told.told?.withdraw("n1", 1_000) ?? Promise.resolve(),
		);
		expect(message).toMatch(/exit code 3/);
	});

	it("fails with the last line that it wrote, and its exit code", async () => {
		const told = balancer(
			"echo first >&2; echo no such target group >&2; exit 7",
		);
		const { message } = await failureOf(told.backends());
		expect(message).toMatch(/exit code 7: no such target group$/);
	});

	it("is ended when it takes too long", async () => {
		const { kind, message } = await failureOf(balancer("sleep 60").backends());
		expect(kind).toBe("timeout");
		expect(message).toMatch(/within 2000 ms/);
	});

	it("is missed with its name when it is not there", async () => {
		const told = balancer("exit 0");
		rmSync(join(directory, "balancer.sh"));
		const { message } = await failureOf(told.backends());
		expect(message).toMatch(/balancer\.sh/);
	});
});
