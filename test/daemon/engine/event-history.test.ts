import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { EventHistory } from "../../../src/daemon/engine/event-history.js";
import type { NodeReplica } from "../../../src/daemon/engine/node-replica.js";
import { kv } from "../../../src/machines/kv/machine.js";
import { LoopbackCluster, put, until } from "../../fakes/loopback-cluster.js";

class Listener {
	readonly heard: number[] = [];
	progress = 0;

	onEvent(index: number, event: Uint8Array): void {
		expect(Buffer.from(event).readUInt32LE(0)).toBe(index);
		this.heard.push(index);
	}

	onProgress(index: number): void {
		expect(index).toBeGreaterThan(this.progress);
		this.progress = index;
	}
}

function event(index: number, bytes = 4): Buffer {
	const made = Buffer.alloc(Math.max(bytes, 4));
	made.writeUInt32LE(index);
	return made;
}

/** Time stands still, so that no turn ends early. */
const nowMs = () => 0;

describe("the event history", () => {
	it("keeps no more memory than its limit and one message, whatever share of the messages the events are", () => {
		const message = fc.record({
			// Commands that came in one piece of memory, and which of them had an event.
			commands: fc.array(
				fc.record({
					bytes: fc.constantFrom(100, 17_000, 40_000, 70_000),
					hasEvent: fc.boolean(),
				}),
				{ minLength: 1, maxLength: 6 },
			),
		});
		const maxBytes = 400_000;
		fc.assert(
			fc.property(fc.array(message, { maxLength: 40 }), (messages) => {
				const history = new EventHistory({
					...{ maxEvents: 50, maxBytes, applied: 0 },
				});
				let index = 0;
				let largest = 0;
				for (const { commands } of messages) {
					const total = commands.reduce((sum, { bytes }) => sum + bytes, 0);
					largest = Math.max(largest, total);
					const memory = Buffer.allocUnsafeSlow(total);
					let at = 0;
					for (const { bytes, hasEvent } of commands) {
						const command = memory.subarray(at, at + bytes);
						at += bytes;
						index++;
						if (hasEvent) history.add(index, command, command);
					}
					const { events } = history.frozen(50, Number.MAX_SAFE_INTEGER);
					const kept = new Set([...events].map(([, { buffer }]) => buffer));
					const sizes = [...kept].map(({ byteLength }) => byteLength);
					const sum = sizes.reduce((one, other) => one + other, 0);
					// Of the small ones two slabs may be begun or not gone yet.
					expect(sum).toBeLessThanOrEqual(maxBytes + largest + 2 * 65_536);
				}
			}),
		);
	});

	it("does not copy a large event that is its command, and copies one that belongs to the machine", () => {
		const history = new EventHistory({
			...{ maxEvents: 5, maxBytes: 1e6, applied: 0 },
		});
		const command = Buffer.allocUnsafeSlow(40_000).fill(1);
		const scratch = Buffer.allocUnsafeSlow(40_000).fill(2);
		history.add(1, command, command);
		history.add(2, scratch, command);
		scratch.fill(3);
		const [first, second] = history.frozen(5, 1e6).events;
		expect(first?.[1].buffer).toBe(command.buffer);
		expect(second?.[1].every((byte) => byte === 2)).toBe(true);
	});

	it("tells each subscriber every event from its index on, once and in order, whatever is dropped meanwhile", () => {
		const step = fc.oneof(
			fc.record({
				do: fc.constant("apply" as const),
				hasEvent: fc.boolean(),
				bytes: fc.integer({ min: 4, max: 60 }),
			}),
			fc.record({ do: fc.constant("tell" as const) }),
			fc.record({
				do: fc.constant("subscribe" as const),
				ago: fc.integer({ min: -3, max: 20 }),
			}),
		);
		fc.assert(
			fc.property(
				fc.array(step, { maxLength: 200 }),
				fc.integer({ min: 1, max: 12 }),
				(steps, maxEvents) => {
					const history = new EventHistory({
						...{ maxEvents, maxBytes: 200, applied: 0 },
					});
					const all: number[] = [];
					const listeners: { from: number; listener: Listener }[] = [];
					let applied = 0;
					for (const each of steps) {
						if (each.do === "tell") history.tell(nowMs);
						else if (each.do === "apply") {
							applied++;
							if (each.hasEvent) {
								all.push(applied);
								history.add(applied, event(applied, each.bytes));
							}
							history.appliedTo(applied);
						} else {
							const from = Math.max(1, applied + 1 - each.ago);
							const listener = new Listener();
							const taken = history.subscribe(from, listener);
							expect(taken !== null).toBe(from >= history.oldestIndex);
							if (taken !== null) listeners.push({ from, listener });
						}
					}
					while (history.tell(nowMs));
					for (const { from, listener } of listeners) {
						expect(listener.heard).toEqual(
							all.filter((index) => index >= from),
						);
						if (applied >= from) expect(listener.progress).toBe(applied);
					}
				},
			),
			{ numRuns: 300 },
		);
	});

	it("takes 0 for from now on, and tells nothing to who has left", () => {
		const history = new EventHistory({
			...{ maxEvents: 10, maxBytes: 1000, applied: 5 },
		});
		const late = new Listener();
		const gone = new Listener();
		history.subscribe(0, late);
		const subscription = history.subscribe(0, gone);
		history.add(6, event(6));
		history.appliedTo(6);
		subscription?.close();
		history.tell(nowMs);
		expect(late.heard).toEqual([6]);
		expect(gone.heard).toEqual([]);
		expect(history.subscribe(5, new Listener())).toBeNull();
	});

	it("gives everybody a turn when telling takes long", () => {
		const history = new EventHistory({
			...{ maxEvents: 100, maxBytes: 10_000, applied: 0 },
		});
		const listeners = Array.from({ length: 40 }, () => new Listener());
		for (const listener of listeners) history.subscribe(1, listener);
		history.add(1, event(1));
		history.appliedTo(1);
		let clockMs = 0;
		const fastClock = () => (clockMs += 100);
		let turns = 1;
		while (history.tell(fastClock) && turns < 100) turns++;
		expect(turns).toBe(5);
		expect(listeners.map(({ heard }) => heard)).toEqual(
			listeners.map(() => [1]),
		);
	});
});

describe("events of a replica", () => {
	let cluster: LoopbackCluster;

	afterEach(() => cluster.close());

	it("are the same from every node, also from one that was restarted, from any index", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		const { replica } = await cluster.leader();
		const written = new Map<number, string>();
		for (let at = 0; at < 10; at++) {
			const outcome = await put(replica, `k${at}`, `v${at}`);
			if (outcome.kind === "applied") written.set(outcome.index, `k${at}`);
		}
		const [node] = cluster.nodes as [(typeof cluster.nodes)[number]];
		await cluster.stopNode(node);
		await cluster.startNode(node);
		const [, second] = [...written.keys()] as [number, number];
		for (const each of cluster.running)
			expect(await heard(each, second, 9)).toEqual(
				[...written].slice(1).map(([index, key]) => `${index} put ${key}`),
			);
		expect(replica.subscribe(1, new Listener())).not.toBeNull();
	});
});

/** The first `count` events that `replica` tells from `from` on. */
async function heard(
	replica: NodeReplica,
	from: number,
	count: number,
): Promise<string[]> {
	const lines: string[] = [];
	const subscription = replica.subscribe(from, {
		onEvent(index, bytes) {
			const told = kv.json?.event(bytes) as { op: string; key: string };
			lines.push(`${index} ${told.op} ${told.key}`);
		},
		onProgress() {},
	});
	await until("events", () => lines.length >= count);
	subscription?.close();
	return lines;
}
