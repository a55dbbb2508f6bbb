import { beforeEach, describe, expect, it } from "vitest";
import { Housekeeping } from "../../../src/daemon/engine/housekeeping.js";
import type { ConfigurationOutcome } from "../../../src/daemon/replica.js";
import {
	type Alarm,
	type ControlCommand,
	createControlState,
	executeControl,
} from "../../../src/machines/control.js";
import type {
	ConfigurationChange,
	CoreAlarm,
	MemberAddress,
} from "../../../src/raft/types.js";

type Parts = ConstructorParameters<typeof Housekeeping>[0];

const address = (port: number, incarnation?: string): MemberAddress => ({
	...{ peer: `h:${port}`, client: `h:${port + 1}`, admin: `h:${port + 2}` },
	...(incarnation === undefined ? {} : { incarnation }),
});

class World {
	clockMs = 100_000;
	role = "leader";
	addresses: Record<string, MemberAddress> = {};
	outgoing: string[] = [];
	readonly met = new Map<string, string>();
	readonly control = createControlState();
	readonly proposed: ControlCommand[] = [];
	readonly changes: ConfigurationChange[] = [];
	readonly distrusted: string[][] = [];
	readonly said: string[] = [];
	/** How changes of membership end. */
	changeEnds: ConfigurationOutcome["kind"] = "done";
	/** Control commands get into the log and are executed. */
	hasQuorum = true;
	wantsTick = false;
	newestDigest: { index: number; digest: string } | null = null;
	disagreement: { index: number; own: string; other: string } | null = null;
	unreadable: { index: number; message: string } | null = null;
	readonly housekeeping: Housekeeping;

	constructor() {
		const world = this;
		this.housekeeping = new Housekeeping({
			raft: {
				status: () => ({ id: "n1", role: this.role }),
				configuration: () => ({
					index: 5,
					configuration: {
						voters: Object.keys(this.addresses),
						...{ outgoing: this.outgoing, learners: [] },
						addresses: this.addresses,
					},
				}),
				distrust: (ids: Set<string>) => void this.distrusted.push([...ids]),
			} as unknown as Parts["raft"],
			state: {
				control: this.control,
				get wantsTick() {
					return world.wantsTick;
				},
				get newestDigest() {
					return world.newestDigest;
				},
				get disagreement() {
					return world.disagreement;
				},
				get unreadable() {
					return world.unreadable;
				},
			} as unknown as Parts["state"],
			commands: {
				accept: ({ command }: { command: Uint8Array }) => {
					this.#propose(JSON.parse(Buffer.from(command).toString()));
					return null;
				},
			} as unknown as Parts["commands"],
			incarnations: {
				known: (id) => this.met.get(id) ?? null,
				learn() {},
			},
			incarnation: "own",
			diagnose: (_level, message) => void this.said.push(message),
			nowMs: () => this.clockMs,
			clusterMs: () => 1_800_000_000_000 + this.clockMs,
			change: (change, done) => {
				this.changes.push(change);
				done({ kind: this.changeEnds } as ConfigurationOutcome);
			},
		});
	}

	#propose(command: ControlCommand): void {
		this.proposed.push(command);
		if (this.hasQuorum)
			executeControl(this.control, command, this.proposed.length);
	}

	/** Lets so many seconds pass, with many ticks in each. */
	pass(seconds: number): this {
		for (let tick = 0; tick < seconds * 10; tick++) {
			this.clockMs += 100;
			this.housekeeping.tick(this.clockMs);
		}
		return this;
	}

	execute(command: Record<string, unknown>): void {
		const whole = { ...command, nowMs: Date.now() } as ControlCommand;
		executeControl(this.control, whole, 1);
	}

	proposals(type: ControlCommand["type"]): ControlCommand[] {
		return this.proposed.filter((command) => command.type === type);
	}

	get alarms(): Alarm[] {
		return [...this.control.alarms.values()];
	}
}

let world: World;
beforeEach(() => {
	world = new World();
});

const wentBack: CoreAlarm = {
	...{ kind: "log-went-back", node: "n3", acknowledged: 90, found: 40 },
};

describe("an alarm that a node raises", () => {
	it("is raised until it stands, at intervals, and then never again", () => {
		world.hasQuorum = false;
		world.housekeeping.coreAlarm(wentBack);
		world.pass(25);
		expect(world.proposals("raise-alarm")).toHaveLength(3);
		world.hasQuorum = true;
		world.pass(10);
		expect(world.alarms).toMatchObject([
			{ kind: "log-went-back", node: "n3", index: 40 },
		]);
		world.pass(60);
		expect(world.proposals("raise-alarm")).toHaveLength(4);
	});

	it("is every node's business, not the leader's alone", () => {
		world.role = "follower";
		world.unreadable = { index: 17, message: "entry 17 has level 2" };
		world.pass(1);
		expect(world.alarms).toMatchObject([
			{ kind: "unreadable-entry", node: "n1", index: 17 },
		]);
	});

	it("that states differ comes back after it was cleared only when they are found to differ again (P60)", () => {
		world.disagreement = { index: 1024, own: "aa", other: "bb" };
		world.pass(2);
		expect(world.alarms).toMatchObject([
			{ kind: "state-differs", node: "n1", index: 1024 },
		]);
		expect(world.alarms[0]?.message).toContain("aa, the leader's was bb");
		world.execute({ type: "clear-alarm", kind: "state-differs", node: "n1" });
		world.pass(60);
		expect(world.alarms).toEqual([]);
		world.disagreement = { index: 4096, own: "cc", other: "dd" };
		world.pass(10);
		expect(world.alarms).toMatchObject([{ index: 4096 }]);
	});

	it("about a log that went back is known to the core of every node (P31)", () => {
		world.role = "follower";
		world.pass(1);
		expect(world.distrusted).toEqual([[]]);
		world.execute({
			...{ type: "raise-alarm", kind: "log-went-back", node: "n3" },
			...{ index: 40, message: "it went back" },
		});
		world.execute({
			...{ type: "raise-alarm", kind: "state-differs", node: "n2" },
			...{ index: 1024, message: "it differs" },
		});
		world.pass(3);
		expect(world.distrusted).toEqual([[], ["n3"]]);
		world.execute({ type: "clear-alarm", kind: "log-went-back", node: "n3" });
		world.pass(3);
		expect(world.distrusted).toEqual([[], ["n3"], []]);
	});
});

describe("what a leader does unasked", () => {
	it("is nothing on a follower", () => {
		world.role = "follower";
		world.wantsTick = true;
		world.newestDigest = { index: 1024, digest: "aa" };
		world.addresses = { n1: address(10) };
		world.pass(60);
		expect(world.proposed).toEqual([]);
		expect(world.changes).toEqual([]);
	});

	it("tells the time while sessions wait for it to pass, and no more often than it must", () => {
		world.pass(60);
		expect(world.proposals("tick")).toEqual([]);
		world.wantsTick = true;
		world.pass(60);
		expect(world.proposals("tick")).toHaveLength(6);
	});

	it("lets states be compared at each new index, at most every ten seconds", () => {
		world.newestDigest = { index: 1024, digest: "aa" };
		world.pass(30);
		expect(world.proposals("compare-state")).toMatchObject([
			{ index: 1024, digest: "aa" },
		]);
		for (let index = 2048; index < 30_000; index += 1024) {
			world.newestDigest = { index, digest: "ab" };
			world.pass(1);
		}
		expect(world.proposals("compare-state")).toHaveLength(4);
	});

	it("writes down which data directory each founder has, as far as it has met them (P31)", () => {
		world.addresses = { n1: address(10), n2: address(20), n3: address(30) };
		world.met.set("n2", "met-2");
		world.pass(1);
		expect(world.changes).toEqual([
			{
				changes: [
					{ type: "update", id: "n1", address: address(10, "own") },
					{ type: "update", id: "n2", address: address(20, "met-2") },
				],
				...{ expectedIndex: 5, waived: [] },
			},
		]);
		world.addresses = {
			n1: address(10, "own"),
			n2: address(20, "met-2"),
			n3: address(30),
		};
		world.pass(30);
		expect(world.changes).toHaveLength(1);
		world.met.set("n3", "met-3");
		world.pass(1);
		expect(world.changes).toHaveLength(2);
	});

	it("tries that again soon when it was refused, and later when nobody knows how it ended", () => {
		world.addresses = { n1: address(10) };
		world.changeEnds = "refused";
		world.pass(5);
		expect(world.changes).toHaveLength(5);
		world.changeEnds = "unknown";
		world.pass(10);
		expect(world.changes).toHaveLength(6);
	});

	it("keeps out of a change of membership that is under way", () => {
		world.addresses = { n1: address(10) };
		world.outgoing = ["n1"];
		world.pass(30);
		expect(world.changes).toEqual([]);
	});
});
