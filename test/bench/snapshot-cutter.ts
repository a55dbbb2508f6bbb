import {
	type AddressInfo,
	connect,
	createServer,
	type Server,
	type Socket,
} from "node:net";
import { FrameSplitter } from "../../src/wire/frame-splitter.js";
import { decodeHello } from "../../src/wire/peer-handshake.js";
import { decodeSnapshotFrame } from "../../src/wire/snapshot-frames.js";

const maxFrameBytes = 64 * 1024 * 1024;

/** Stands before the leader's peer port: breaks the first transfer of a snapshot half-way, and sees where it goes on. */
export class SnapshotCutter {
	/** What of the file the receiver had been sent at the cut. */
	reached = 0;
	/** Where the next transfer began. */
	resumedFrom = Number.NaN;
	readonly #target: number;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();
	#transfers = 0;

	static async before(address: string): Promise<SnapshotCutter> {
		const cutter = new SnapshotCutter(Number(address.split(":")[1]));
		await new Promise<void>((resolve) =>
			cutter.#server.listen(0, "127.0.0.1", resolve),
		);
		return cutter;
	}

	private constructor(target: number) {
		this.#target = target;
		this.#server = createServer((socket) => this.#carry(socket));
	}

	get address(): string {
		return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	async close(): Promise<void> {
		const closed = new Promise((resolve) => this.#server.close(resolve));
		for (const socket of this.#sockets) socket.destroy();
		await closed;
	}

	#carry(receiver: Socket): void {
		const sender = connect({ host: "127.0.0.1", port: this.#target });
		let frames = 0;
		let isSnapshot = false;
		const up = splitter((frame) => {
			frames++;
			if (frames === 1) {
				isSnapshot = decodeHello(frame).purpose === "snapshot";
				if (isSnapshot) this.#transfers++;
			} else if (isSnapshot) {
				const said = decodeSnapshotFrame(frame);
				if (said.type === "from") this.resumedFrom = said.offset;
			}
		});
		let fileBytes = Number.POSITIVE_INFINITY;
		let answers = 0;
		let isCut = false;
		const down = splitter((frame) => {
			if (isCut) return;
			receiver.write(withLength(frame));
			// The first is the greeting.
			if (!isSnapshot || answers++ === 0 || this.#transfers > 1) return;
			const said = decodeSnapshotFrame(frame);
			if (said.type === "head") fileBytes = said.fileBytes;
			if (said.type !== "data") return;
			this.reached = said.offset + said.bytes.length;
			if (this.reached < fileBytes / 2) return;
			isCut = true;
			sender.destroy();
			// What was sent does arrive.
			receiver.end();
		});
		receiver.on("data", (chunk: Buffer) => {
			sender.write(chunk);
			up(chunk);
		});
		sender.on("data", (chunk: Buffer) => {
			down(chunk);
			if (!receiver.writableNeedDrain) return;
			sender.pause();
			receiver.once("drain", () => sender.resume());
		});
		for (const [one, other] of [
			[receiver, sender],
			[sender, receiver],
		] as const) {
			this.#sockets.add(one);
			one.setNoDelay(true);
			one.on("error", () => {});
			one.on("close", () => {
				this.#sockets.delete(one);
				other.end();
			});
		}
	}
}

function splitter(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
	const frames = new FrameSplitter({ minFrameBytes: 1, maxFrameBytes });
	return (chunk) => frames.push(chunk, onFrame);
}

function withLength(frame: Buffer): Buffer {
	const whole = Buffer.allocUnsafe(4 + frame.length);
	whole.writeUInt32LE(frame.length, 0);
	frame.copy(whole, 4);
	return whole;
}
