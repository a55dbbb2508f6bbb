import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { haproxyBalancer } from "../../../src/balancers/haproxy/balancer.js";
import {
	localSocket,
	remoteSocket,
	tcpSocket,
} from "../../../src/balancers/haproxy/runtime-socket.js";
import type { OperatorError } from "../../../src/errors.js";
import { localHost } from "../../../src/hosts/local.js";
import { lacks } from "../../e2e/front-cluster.js";
import { inventoryWith } from "../inventory.js";

let directory: string;
let server: Server | null = null;
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-socket-"));
});
afterEach(() => {
	server?.close();
	server = null;
	rmSync(directory, { recursive: true });
});

/** Answers one line, as HAProxy does, and closes. */
function answering(reply: (line: string) => string, at: string | number) {
	return new Promise<Server>((resolve) => {
		const listening = createServer((socket) => {
			socket.on("error", () => undefined);
			socket.once("data", (line) => socket.end(reply(`${line}`.trim())));
		});
		server = listening;
		listening.listen(at, () => resolve(listening));
	});
}

async function failureOf(work: Promise<unknown>): Promise<OperatorError> {
	return work.then(
		() => Promise.reject(new Error("it did not fail")),
		(error: OperatorError) => error,
	);
}

describe("HAProxy's runtime socket", () => {
	it("is asked on this machine, by its path", async () => {
		const path = join(directory, "sock");
		await answering((line) => `you said ${line}\n\n`, path);
		expect(await localSocket(path).ask("show stat")).toBe(
			"you said show stat\n\n",
		);
	});

	it("is asked over TCP", async () => {
		const listening = await answering(() => "admin\n", 0);
		const { port } = listening.address() as AddressInfo;
		const socket = tcpSocket("lb", `127.0.0.1:${port}`);
		expect(await socket.ask("show cli level")).toBe("admin\n");
	});

	it.skipIf(lacks("socat"))(
		"is asked on another machine, through socat",
		async () => {
			const path = join(directory, "sock");
			await answering((line) => `you said ${line}\n`, path);
			const host = { ...localHost(), name: "lb" };
			expect(await remoteSocket(host, path).ask("show stat")).toBe(
				"you said show stat\n",
			);
		},
	);

	it("is missed with its path and the remedy, here and there", async () => {
		const path = join(directory, "absent");
		const host = { ...localHost(), name: "lb" };
		for (const socket of [localSocket(path), remoteSocket(host, path)]) {
			const error = await failureOf(socket.ask("show stat"));
			expect(error.kind).toBe("unreachable");
			expect(error.message).toContain(`${path} is not there`);
			expect(error.next).toContain("stats socket");
		}
	});

	it("may be read-only: what would steer is refused, with the remedy", async () => {
		const path = join(directory, "sock");
		const stat = "# pxname,svname,scur,status\nraftctl-orders,n1,0,UP\n";
		await answering(
			(line) => (line === "show stat" ? stat : "Permission denied\n\n"),
			path,
		);
		const { balancer } = inventoryWith([
			...["kind: haproxy", 'listen: "*:8080"', `socket: ${path}`],
		]);
		if (balancer?.kind !== "haproxy") throw new Error("it is no HAProxy");
		const haproxy = haproxyBalancer(balancer, {
			cluster: "orders",
			openHost: async () => localHost(),
		});
		const error = await failureOf(haproxy.prefer(["n1"], 15_000));
		expect(error.kind).toBe("refused");
		expect(error.next).toContain("level admin");
		const unknown = await failureOf(haproxy.prefer(["n9"], 15_000));
		expect(unknown.message).toContain("does not know n9");
	});
});
