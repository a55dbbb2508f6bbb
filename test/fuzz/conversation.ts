import { connect, type Socket } from "node:net";

/** Nobody waits longer for the other side to end it: whoever does not, hangs. */
const hangMs = 20_000;

/** Says all of it, then that nothing follows; what was answered up to the end of the connection. */
export async function converse(
	port: number,
	chunks: readonly Buffer[],
): Promise<string> {
	const socket = connect(port, "127.0.0.1");
	const heard: Buffer[] = [];
	socket.on("data", (chunk) => heard.push(chunk));
	// It may be reset, which is an end like another.
	socket.on("error", () => {});
	for (const chunk of chunks) {
		socket.write(chunk);
		// Else the kernel would join them.
		if (chunks.length < 20) await new Promise(setImmediate);
	}
	socket.end();
	await ended(socket);
	return Buffer.concat(heard).toString("latin1");
}

/** Says it, hears whatever comes first, and goes without a word. */
export async function speak(port: number, bytes: Buffer): Promise<void> {
	const socket = connect(port, "127.0.0.1");
	socket.on("error", () => {});
	socket.end(bytes);
	await Promise.race([
		new Promise((resolve) => socket.once("data", resolve)),
		new Promise((resolve) => socket.once("close", resolve)),
	]);
	socket.destroy();
}

export function ended(socket: Socket): Promise<void> {
	return new Promise((resolve, reject) => {
		if (socket.destroyed) return resolve();
		const timer = setTimeout(() => {
			socket.destroy();
			reject(new Error("the other side never ended the connection"));
		}, hangMs);
		socket.once("close", () => {
			clearTimeout(timer);
			resolve();
		});
	});
}

/** Of all HTTP answers in it; no body of ours has a line that begins like one. */
export function statusesIn(heard: string): number[] {
	const starts = heard.matchAll(/(?:^|\n)HTTP\/1\.1 (\d{3}) /g);
	return [...starts].map((match) => Number(match[1]));
}
