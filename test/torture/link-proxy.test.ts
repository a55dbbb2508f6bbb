import { createServer, type Server, Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeHello } from "../../src/wire/peer-handshake.js";
import { freePort } from "../daemon/free-port.js";
import { LinkProxy } from "./link-proxy.js";
import { Network } from "./network.js";

/** A node that says nothing of its own, and keeps what it hears. */
class Listener {
	heard = "";
	ended = 0;
	readonly sockets: Socket[] = [];
	readonly #server: Server;

	constructor() {
		this.#server = createServer((socket) => {
			this.sockets.push(socket);
			socket.on("data", (chunk) => {
				this.heard += chunk.toString("latin1");
			});
			socket.on("error", () => {});
			socket.on("close", () => {
				this.ended++;
			});
		});
	}

	async open(): Promise<number> {
		const port = await freePort();
		await new Promise<void>((done) =>
			this.#server.listen(port, "127.0.0.1", done),
		);
		return port;
	}

	close(): void {
		for (const socket of this.sockets) socket.destroy();
		this.#server.close();
	}
}

describe("a link between two nodes", () => {
	let network: Network;
	let listener: Listener;
	let proxy: LinkProxy;
	let dialler: Socket;
	let answered: string;

	beforeEach(async () => {
		network = new Network();
		listener = new Listener();
		proxy = new LinkProxy({
			...{ place: "p2", port: await listener.open(), network },
			placeOf: (id) => (id === "n1" ? "p1" : null),
		});
		await proxy.listen(await freePort());
		answered = "";
		dialler = new Socket();
		dialler.on("error", () => {});
		dialler.on("data", (chunk) => {
			answered += chunk.toString("latin1");
		});
	});
	afterEach(async () => {
		dialler.destroy();
		await proxy.close();
		listener.close();
	});

	const hello = (from: string) =>
		encodeHello({
			...{ oldestVersion: 1, newestVersion: 1, clusterId: "c" },
			...{ from, incarnation: "i", to: "n2", purpose: "messages" },
			levels: { readsFrom: 1, readsTo: 1, writes: 1 },
		});
	const dial = (from: string) => {
		const port = Number(proxy.address.split(":")[1]);
		dialler.connect(port, "127.0.0.1", () => dialler.write(hello(from)));
	};
	const answer = (text: string) => listener.sockets[0]?.write(text);
	const open = async () => {
		dial("n1");
		await soon(() => listener.heard.length === hello("n1").length);
	};

	it("carries everything both ways, the hello included", async () => {
		dial("n1");
		await soon(() => listener.heard === hello("n1").toString("latin1"));
		dialler.write("there");
		await soon(() => listener.heard.endsWith("there"));
		answer("back");
		await soon(() => answered === "back");
	});

	it("can be cut in one direction, and gives what was held when it is healed", async () => {
		await open();
		network.cut("p1", "p2");
		dialler.write("held");
		answer("passes");
		await soon(() => answered === "passes");
		expect(listener.heard).not.toContain("held");
		network.heal({ reset: false });
		await soon(() => listener.heard.endsWith("held"));
	});

	it("can be cut against the direction in which it was dialled", async () => {
		await open();
		network.cut("p2", "p1");
		answer("held");
		dialler.write("passes");
		await soon(() => listener.heard.endsWith("passes"));
		expect(answered).toBe("");
	});

	it("lets not even a hello through while it is cut", async () => {
		network.cut("p1", "p2");
		dial("n1");
		await soon(() => listener.sockets.length === 1);
		expect(listener.heard).toBe("");
	});

	it("hides from one side that the other has gone while it is cut", async () => {
		await open();
		network.cut("p1", "p2");
		dialler.destroy();
		await new Promise((wake) => setTimeout(wake, 50));
		expect(listener.ended).toBe(0);
		network.heal({ reset: false });
		await soon(() => listener.ended === 1);
	});

	it("is gone after a healing that resets, and nothing that was held arrives", async () => {
		await open();
		const before = listener.heard;
		network.cut("p1", "p2");
		dialler.write("lost");
		await new Promise((wake) => setTimeout(wake, 50));
		network.heal({ reset: true });
		await soon(() => listener.ended === 1);
		expect(listener.heard).toBe(before);
	});

	it("can be slow, and keeps the order", async () => {
		await open();
		network.slow("p1", "p2", 30);
		for (const part of ["a", "b", "c"]) dialler.write(part);
		await soon(() => listener.heard.endsWith("abc"));
	});

	it("lets no stranger in", async () => {
		const closed = new Promise((done) => dialler.once("close", done));
		dial("n7");
		dialler.write(Buffer.alloc(4096, 255));
		await closed;
		expect(listener.sockets).toEqual([]);
	});
});

async function soon(holds: () => boolean): Promise<void> {
	while (!holds()) await new Promise((wake) => setTimeout(wake, 5));
}
