import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * A port on loopback that nobody listens on, below those that the kernel gives to outgoing connections: one of these
 * could take it before the program under test does; and above those that the tests of the whole take by number.
 */
export async function freePort(): Promise<number> {
	for (let attempt = 0; attempt < attemptsMax; attempt++) {
		const port = randomInt(26_000, 32_000);
		if (given.has(port) || !(await isFree(port))) continue;
		given.add(port);
		return port;
	}
	throw new Error(`no free port after ${attemptsMax} attempts`);
}

const attemptsMax = 100;
const given = new Set<number>();

function isFree(port: number): Promise<boolean> {
	const server = createServer();
	return new Promise((resolve) => {
		server.once("error", () => resolve(false));
		server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
	});
}
