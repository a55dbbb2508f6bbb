import { createServer, type Server } from "node:net";

/** Below those that other tests and the kernel give out. */
const blocks = { first: 10_000, size: 100, count: 70 };
/** Of its block no node ever listens there: whoever does so has the block. */
const claimOffset = 99;

export interface Ports {
	readonly base: number;
	release(): void;
}

/** A hundred ports that no other torture of this machine uses, in this process or another, until they are released. */
export async function claimPorts(): Promise<Ports> {
	for (let block = 0; block < blocks.count; block++) {
		const base = blocks.first + block * blocks.size;
		const claim = await listen(base + claimOffset);
		if (claim === null) continue;
		if (!(await isTaken(base)) && !(await isTaken(base + 12)))
			return { base, release: () => void claim.close() };
		claim.close();
	}
	throw new Error("every block of ports is in use");
}

/** By what an ended run left behind. */
async function isTaken(port: number): Promise<boolean> {
	const server = await listen(port);
	if (server === null) return true;
	await new Promise((closed) => server.close(closed));
	return false;
}

function listen(port: number): Promise<Server | null> {
	return new Promise((settle) => {
		const server = createServer();
		server.once("error", () => settle(null));
		server.listen(port, "127.0.0.1", () => settle(server));
	});
}
