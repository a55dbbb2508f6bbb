#!/usr/bin/env node
// The floor: how fast can ANY Raft leader written for Node.js be on this machine?
//
// Three processes do only the work that no replicated log can skip: frame the request, append it to a log on disk
// with fdatasync on the leader and on two followers, wait for the quorum, apply to a Map, answer. No terms, no
// elections, no recovery. A real node is measured as a share of this figure, in the same run.
//
//   node floor.mjs [--seconds 4] [--clients 1,16,64,256,1000] [--bytes 256]
//
// Prints one JSON line per client count: {"system":"floor","clients":64,"rps":…,"p50":…,"p90":…,"p99":…,"max":…} (ms).
import { fork } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const SEGMENT = 64 << 20;
const CONNECTIONS = 8;
const [role, ...rest] = process.argv.slice(2);

/** Calls `onFrame` with the body of every length-prefixed frame that arrives on `socket`. */
function frames(socket, onFrame) {
	let held = null;
	socket.on("data", (chunk) => {
		held = held ? Buffer.concat([held, chunk]) : chunk;
		let at = 0;
		while (held.length - at >= 4) {
			const length = held.readUInt32LE(at);
			if (held.length - at - 4 < length) break;
			onFrame(held.subarray(at + 4, at + 4 + length));
			at += 4 + length;
		}
		held = at === held.length ? null : held.subarray(at);
	});
}

/** A preallocated log: appends batches one at a time, each ended by fdatasync. */
function openLog(file) {
	const fd = fs.openSync(file, "w");
	fs.writeSync(fd, Buffer.alloc(SEGMENT));
	fs.fsyncSync(fd);
	let position = 0;
	return (buffers, done) => {
		const length = buffers.reduce((sum, b) => sum + b.length, 0);
		if (position + length > SEGMENT) position = 0;
		fs.writev(fd, buffers, position, (error) => {
			if (error) throw error;
			fs.fdatasync(fd, done);
		});
		position += length;
	};
}

function follower(port, directory) {
	const append = openLog(path.join(directory, `wal-${port}`));
	let waiting = [];
	let busy = false;
	let leaderSocket;
	const pump = () => {
		if (busy || waiting.length === 0) return;
		busy = true;
		const batch = waiting;
		waiting = [];
		append(
			batch.map((b) => b.frame),
			() => {
				busy = false;
				const answer = Buffer.alloc(12);
				answer.writeUInt32LE(8, 0);
				answer.writeDoubleLE(batch.at(-1).index, 4);
				leaderSocket.write(answer);
				pump();
			},
		);
	};
	net
		.createServer({ noDelay: true }, (socket) => {
			leaderSocket = socket;
			frames(socket, (f) => {
				waiting.push({ index: f.readDoubleLE(0), frame: Buffer.from(f) });
				pump();
			});
		})
		.listen(port, "127.0.0.1", () => process.send("ready"));
}

function leader(port, directory, peers) {
	const append = openLog(path.join(directory, `wal-${port}`));
	const log = new Map();
	const state = new Map();
	const match = peers.map(() => 0);
	let last = 0,
		durable = 0,
		commit = 0,
		flushed = 0,
		writing = false,
		scheduled = false;
	let toFlush = [],
		toWrite = [];
	const sockets = peers.map((peer, i) => {
		const socket = net.connect({
			port: peer,
			host: "127.0.0.1",
			noDelay: true,
		});
		frames(socket, (f) => {
			match[i] = f.readDoubleLE(0);
			advance();
		});
		return socket;
	});
	const advance = () => {
		const quorum = [durable, ...match].sort((a, b) => b - a)[
			Math.floor((peers.length + 1) / 2)
		];
		if (quorum <= commit) return;
		const answers = new Map();
		for (let i = commit + 1; i <= quorum; i++) {
			const { payload, socket } = log.get(i);
			log.delete(i);
			state.set(payload.toString("latin1", 4, 20), payload);
			const answer = Buffer.allocUnsafe(8);
			answer.writeUInt32LE(4, 0);
			payload.copy(answer, 4, 0, 4);
			const list = answers.get(socket);
			if (list) list.push(answer);
			else answers.set(socket, [answer]);
		}
		commit = quorum;
		for (const [socket, list] of answers) socket.write(Buffer.concat(list));
	};
	const write = () => {
		if (writing || toWrite.length === 0) return;
		writing = true;
		const batch = toWrite;
		const index = flushed;
		toWrite = [];
		append(batch, () => {
			writing = false;
			durable = index;
			advance();
			write();
		});
	};
	const flush = () => {
		scheduled = false;
		const batch = toFlush;
		toFlush = [];
		const size = batch.reduce((sum, e) => sum + 4 + e.payload.length, 8);
		const frame = Buffer.allocUnsafe(4 + size);
		frame.writeUInt32LE(size, 0);
		frame.writeDoubleLE(batch.at(-1).index, 4);
		let at = 12;
		for (const { payload } of batch) {
			frame.writeUInt32LE(payload.length, at);
			payload.copy(frame, at + 4);
			at += 4 + payload.length;
		}
		for (const socket of sockets) socket.write(frame);
		toWrite.push(frame);
		flushed = batch.at(-1).index;
		write();
	};
	net
		.createServer({ noDelay: true }, (socket) => {
			frames(socket, (f) => {
				const entry = { index: ++last, payload: Buffer.from(f), socket };
				log.set(entry.index, entry);
				toFlush.push(entry);
				if (!scheduled) {
					scheduled = true;
					setImmediate(flush);
				}
			});
		})
		.listen(port, "127.0.0.1", () => process.send("ready"));
}

/** `clients` outstanding requests over a few connections, each answered before the next is sent (closed loop). */
function load(port, clients, seconds, bytes) {
	const latencies = [];
	const inFlight = new Map();
	const value = "x".repeat(bytes);
	const end = performance.now() + seconds * 1000;
	let id = 0;
	const send = (socket) => {
		const request = Buffer.alloc(24 + bytes);
		request.writeUInt32LE(20 + bytes, 0);
		request.writeUInt32LE(++id, 4);
		request.write(`key-${(Math.random() * 100_000) | 0}`.padEnd(16), 8);
		request.write(value, 24);
		inFlight.set(id, performance.now());
		socket.write(request);
	};
	const finish = () => {
		latencies.sort((a, b) => a - b);
		const at = (q) =>
			+latencies[
				Math.min(latencies.length - 1, Math.floor(latencies.length * q))
			].toFixed(2);
		process.send({
			clients,
			rps: Math.round(latencies.length / seconds),
			p50: at(0.5),
			p90: at(0.9),
			p99: at(0.99),
			max: at(1),
		});
	};
	const sockets = Array.from({ length: Math.min(CONNECTIONS, clients) }, () => {
		const socket = net.connect({ port, host: "127.0.0.1", noDelay: true });
		frames(socket, (f) => {
			const key = f.readUInt32LE(0);
			latencies.push(performance.now() - inFlight.get(key));
			inFlight.delete(key);
			if (performance.now() < end) send(socket);
			else if (inFlight.size === 0) finish();
		});
		return socket;
	});
	for (let i = 0; i < clients; i++) send(sockets[i % sockets.length]);
}

async function main() {
	const option = (name, fallback) => {
		const i = process.argv.indexOf(`--${name}`);
		return i > 0 ? process.argv[i + 1] : fallback;
	};
	const seconds = Number(option("seconds", 4));
	const bytes = Number(option("bytes", 256));
	const counts = option("clients", "1,16,64,256,1000").split(",").map(Number);
	const directory = fs.mkdtempSync(
		path.join(option("directory", os.tmpdir()), "floor-"),
	);
	const self = fileURLToPath(import.meta.url);
	const children = [];
	const start = (...args) =>
		new Promise((resolve) => {
			const child = fork(self, args.map(String));
			children.push(child);
			child.once("message", (message) => resolve(message));
		});
	try {
		await start("follower", 7952, directory);
		await start("follower", 7953, directory);
		await start("leader", 7951, directory, 7952, 7953);
		for (const clients of counts) {
			console.log(
				JSON.stringify({
					system: "floor",
					...(await start("load", 7951, clients, seconds, bytes)),
				}),
			);
		}
	} finally {
		for (const child of children) child.kill();
		fs.rmSync(directory, { recursive: true, force: true });
	}
}

if (role === "follower") follower(Number(rest[0]), rest[1]);
else if (role === "leader")
	leader(Number(rest[0]), rest[1], rest.slice(2).map(Number));
else if (role === "load") load(...rest.map(Number));
else await main();
