import { connect, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { LocalCluster } from "./local-cluster.js";

let cluster: LocalCluster;
const sockets: Socket[] = [];

afterEach(async () => {
	for (const socket of sockets.splice(0)) socket.destroy();
	await cluster.dispose();
});

interface Client {
	readonly socket: Socket;
	readonly node: string;
	readonly ended: Promise<void>;
}

/** A kept connection through the balancer, and the node at its other end. */
async function connected(port: number): Promise<Client> {
	const socket = connect({ port, host: "127.0.0.1" });
	sockets.push(socket);
	socket.on("error", () => {});
	const ended = new Promise<void>((done) => socket.once("close", () => done()));
	const answer = new Promise<string>((resolve, reject) => {
		socket.once("data", (bytes) => resolve(bytes.toString()));
		socket.once("close", () => reject(new Error("closed without a word")));
	});
	socket.write("GET /v1/whoami HTTP/1.1\r\nhost: balancer\r\n\r\n");
	const node = /"node":"(n\d)"/.exec(await answer)?.[1];
	if (node === undefined) throw new Error("an answer without a node");
	return { socket, node, ended };
}

it("connections to a frozen node end, and begin anew at others, long before anybody's patience does", async () => {
	cluster = await LocalCluster.create({ portBase: 24_900 });
	await cluster.succeed(["up"]);
	const { portBase } = cluster;
	const { leader } = await cluster.json(["status"]);
	const frozen = leader === "n3" ? "n2" : "n3";
	const clients = await Promise.all(
		Array.from({ length: 9 }, () => connected(portBase)),
	);
	const onFrozen = clients.filter(({ node }) => node === frozen);
	const others = clients.filter(({ node }) => node !== frozen);
	expect(onFrozen.length).toBeGreaterThan(0);
	expect(others.length).toBeGreaterThan(0);
	await cluster.signal(frozen, "SIGSTOP");
	await Promise.all(onFrozen.map(({ ended }) => ended));
	expect(others.filter(({ socket }) => socket.destroyed)).toEqual([]);
	for (let n = 0; n < 6; n++)
		expect((await connected(portBase)).node).not.toBe(frozen);
	await cluster.signal(frozen, "SIGCONT");
}, 120_000);
