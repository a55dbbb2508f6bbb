import { createServer } from "node:net";
import { OperatorError } from "../../errors.js";

const firstBase = 7100;
const step = 100;
const tries = 50;

/** A port base whose `count` following ports are free on this machine now; the demo must not meet a real cluster. */
export async function freePortBase(count: number): Promise<number> {
	for (let at = 0; at < tries; at++) {
		const base = firstBase + at * step;
		const free = await Promise.all(
			Array.from({ length: count }, (_, offset) => isFree(base + offset)),
		);
		if (free.every(Boolean)) return base;
	}
	throw new OperatorError(
		"refused",
		`no ${count} free ports in a row between ${firstBase} and ${firstBase + tries * step}`,
		{ state: "nothing was started" },
	);
}

function isFree(port: number): Promise<boolean> {
	return new Promise((settle) => {
		const server = createServer();
		server.once("error", () => settle(false));
		server.listen(port, "127.0.0.1", () => server.close(() => settle(true)));
	});
}
