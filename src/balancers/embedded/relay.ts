import type { Socket } from "node:net";

/**
 * Carries bytes both ways until both sides have ended, and says so once. An end is passed on as an end: the other
 * direction goes on. A reset is passed on as a reset, so that nobody takes a cut answer for a whole one.
 */
export function relay(
	client: Socket,
	upstream: Socket,
	options: {
		readonly halfOpenTimeoutMs: number;
		readonly onClosed: () => void;
	},
): void {
	let open = 2;
	const closed = () => {
		if (--open === 0) options.onClosed();
	};
	const halfOpen = () => {
		for (const socket of [client, upstream])
			socket.setTimeout(options.halfOpenTimeoutMs, () => socket.destroy());
	};
	carry(client, upstream);
	carry(upstream, client);
	for (const socket of [client, upstream])
		socket.once("close", closed).once("end", halfOpen);
}

function carry(source: Socket, target: Socket): void {
	// `pipe` waits for a slow target and passes the end on.
	source.pipe(target);
	source.on("error", () => target.resetAndDestroy());
	source.once("close", () => {
		if (!source.readableEnded) target.resetAndDestroy();
	});
}
