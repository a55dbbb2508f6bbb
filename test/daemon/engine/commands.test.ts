import { beforeEach, describe, expect, it } from "vitest";
import { rejected } from "../../../src/daemon/engine/admission.js";
import { Commands } from "../../../src/daemon/engine/commands.js";
import { zeroCounters } from "../../../src/daemon/engine/engine-stats.js";
import type { Leadership } from "../../../src/daemon/engine/leadership.js";
import { defaultLimits } from "../../../src/daemon/engine/limits.js";
import type { CommandOutcome } from "../../../src/daemon/replica.js";
import { EntryKind, type Refusal } from "../../../src/raft/types.js";
import type {
	ForwardAnswer,
	ForwardedCommand,
} from "../../../src/wire/forward-frames.js";

const leads: Leadership = {
	...{ self: "n1", leader: "n1", isLeader: true, transferring: false },
};
const follows: Leadership = { ...leads, leader: "n2", isLeader: false };
const alone: Leadership = { ...follows, leader: null };

let clockMs = 0;
let connected = true;
let refusal: Refusal | null = null;
let proposed: { token: number; texts: string[] }[] = [];
let forwarded: ForwardedCommand[] = [];
let answered: { to: string; link: number; answer: ForwardAnswer }[] = [];
let outcomes: Map<string, CommandOutcome[]>;
let commands: Commands;

const counters = zeroCounters();

beforeEach(() => {
	clockMs = 0;
	connected = true;
	refusal = null;
	proposed = [];
	forwarded = [];
	answered = [];
	outcomes = new Map();
	commands = new Commands({
		limits: { ...defaultLimits, maxCommandBytes: 1_000_000 },
		nowMs: () => clockMs,
		counters,
		peers: {
			isConnected: () => connected,
			forward: (_to, batch) => void forwarded.push(...batch),
			answer: (to, link, answers) => {
				for (const answer of answers) answered.push({ to, link, answer });
			},
		},
		refuses: (kind, _level, command) =>
			kind !== EntryKind.control && `${command}`.startsWith("bad")
				? rejected("invalid", "it is bad")
				: null,
		propose(_kind, _level, batch, token) {
			if (refusal !== null) return refusal;
			proposed.push({ token, texts: batch.map((each) => `${each}`) });
			return null;
		},
	});
});

function ask(text: string, ack: "none" | "commit" | "apply" = "apply"): void {
	const heard: CommandOutcome[] = [];
	outcomes.set(text, heard);
	const refused = commands.accept({
		...{ kind: 1, level: 0, ack, deadlineMs: 1000 },
		command: Buffer.from(text),
		origin: {
			kind: "local",
			client: "test",
			done: (outcome) => heard.push(outcome),
		},
	});
	expect(refused).toBeNull();
}

function settle(outcome: "committed" | "lost" | "unknown", index = 10): void {
	const { token, texts } = proposed.shift() as (typeof proposed)[number];
	commands.settle({ token, count: texts.length, outcome, index });
}

function fromPeer(...requestIds: number[]): void {
	commands.acceptForwarded(
		{ peer: "n3", link: 7 },
		{
			type: "forward",
			commands: requestIds.map((requestId) => ({
				...{ requestId, kind: 1, level: 0, ack: "apply", deadlineMs: 1000 },
				command: Buffer.from(`peer-${requestId}`),
			})) as ForwardedCommand[],
		},
	);
}

describe("commands on a leader", () => {
	it("become one proposal for all of a turn, and end when they are committed or executed", () => {
		ask("a", "commit");
		ask("b");
		commands.dispatch(leads);
		expect(proposed.map(({ texts }) => texts)).toEqual([["a", "b"]]);
		settle("committed", 10);
		expect(outcomes.get("a")).toEqual([{ kind: "committed", index: 10 }]);
		expect(outcomes.get("b")).toEqual([]);
		const result = Buffer.from("r");
		commands.executed(10, Buffer.from("other"));
		commands.executed(11, result);
		expect(outcomes.get("b")).toEqual([{ kind: "applied", index: 11, result }]);
		expect(commands.pending).toBe(0);
	});

	it("are tried again when they are certainly lost, and only then", () => {
		ask("a");
		commands.dispatch(leads);
		settle("lost");
		expect(outcomes.get("a")).toEqual([]);
		commands.dispatch(follows);
		expect(forwarded.map(({ command }) => `${command}`)).toEqual(["a"]);
		ask("b");
		commands.dispatch(leads);
		settle("unknown");
		expect(outcomes.get("b")).toMatchObject([{ kind: "unknown" }]);
		commands.dispatch(leads);
		expect(proposed).toEqual([]);
	});

	it("wait while leadership is handed over, or the log takes no more", () => {
		ask("a");
		commands.dispatch({ ...leads, transferring: true });
		refusal = "too-many-uncommitted";
		commands.dispatch(leads);
		expect(outcomes.get("a")).toEqual([]);
		refusal = null;
		commands.dispatch(leads);
		expect(proposed.map(({ texts }) => texts)).toEqual([["a"]]);
	});

	it("end as unknown when their deadline passes in the log, and as certainly not done when it passes before", () => {
		ask("in the log");
		commands.dispatch(leads);
		ask("in the queue");
		clockMs = 999;
		commands.expire(leads);
		expect(commands.pending).toBe(2);
		clockMs = 1000;
		commands.expire(alone);
		expect(outcomes.get("in the log")).toMatchObject([{ kind: "unknown" }]);
		expect(outcomes.get("in the queue")).toMatchObject([
			{ kind: "rejected", reason: "no-leader" },
		]);
		settle("committed");
		commands.executed(10, Buffer.from("late"));
		expect(outcomes.get("in the log")).toHaveLength(1);
	});

	it("are cut into batches that keep their order", () => {
		const long = "x".repeat(600_000);
		for (const name of ["a", "b", "c"]) ask(name + long);
		commands.dispatch(leads);
		expect(proposed.map(({ token }) => token)).toEqual([1, 2, 3]);
		expect(proposed.map(({ texts }) => texts[0]?.[0])).toEqual(["a", "b", "c"]);
	});
});

describe("commands that a follower has forwarded", () => {
	it("are answered on the connection they came on", () => {
		fromPeer(1, 2);
		commands.dispatch(leads);
		settle("committed", 5);
		commands.executed(5, Buffer.from("r"));
		commands.executed(6, Buffer.from("s"));
		expect(answered).toEqual([]);
		commands.flush();
		expect(answered).toMatchObject([
			{ to: "n3", link: 7, answer: { requestId: 1, outcome: { index: 5 } } },
			{ to: "n3", link: 7, answer: { requestId: 2, outcome: { index: 6 } } },
		]);
	});

	it.each([
		["this node does not lead", follows, false],
		[
			"leadership is being handed over",
			{ ...leads, transferring: true },
			false,
		],
		["the node stops", leads, true],
	])("go back to be tried elsewhere when %s", (_, leadership, stopping) => {
		if (stopping) commands.stop();
		fromPeer(1);
		commands.dispatch(leadership);
		commands.flush();
		expect(answered).toMatchObject([
			{ answer: { requestId: 1, outcome: { kind: "retry" } } },
		]);
		expect(commands.pending).toBe(0);
	});

	it("are checked as its own are, as the follower may be of another release", () => {
		const words = ["bad", "x".repeat(1_000_001), "bad for the machine only"];
		commands.acceptForwarded(
			{ peer: "n3", link: 7 },
			{
				type: "forward",
				commands: words.map((text, at) => ({
					...{ requestId: at + 1, level: 0, ack: "apply", deadlineMs: 1000 },
					kind: at === 2 ? 3 : 1,
					command: Buffer.from(text),
				})) as ForwardedCommand[],
			},
		);
		commands.dispatch(leads);
		commands.flush();
		expect(answered.map(({ answer }) => answer)).toMatchObject([
			{ requestId: 1, outcome: { kind: "rejected", reason: "invalid" } },
			{ requestId: 2, outcome: { kind: "rejected", reason: "too-large" } },
		]);
		expect(proposed).toHaveLength(1);
	});

	it("go back when they are certainly lost", () => {
		fromPeer(1);
		commands.dispatch(leads);
		settle("lost");
		commands.flush();
		expect(answered).toMatchObject([
			{ answer: { outcome: { kind: "retry" } } },
		]);
	});
});

describe("commands on a follower", () => {
	const outcomesOf = (from: string, answer: Partial<ForwardAnswer>) =>
		commands.takeOutcomes(from, {
			type: "outcomes",
			answers: [
				{
					requestId: forwarded.at(-1)?.requestId as number,
					outcome: { kind: "retry" },
					...answer,
				},
			],
		});

	it("go to the leader, and end with what it says", () => {
		ask("a");
		commands.dispatch(follows);
		const result = Buffer.from("r");
		outcomesOf("n3", { outcome: { kind: "applied", index: 1, result } });
		expect(outcomes.get("a")).toEqual([]);
		outcomesOf("n2", { outcome: { kind: "applied", index: 4, result } });
		outcomesOf("n2", { outcome: { kind: "applied", index: 5, result } });
		expect(outcomes.get("a")).toEqual([{ kind: "applied", index: 4, result }]);
	});

	it("wait for a leader, and for a link to it", () => {
		ask("a");
		commands.dispatch(alone);
		connected = false;
		commands.dispatch(follows);
		expect(forwarded).toEqual([]);
		connected = true;
		commands.dispatch(follows);
		expect(forwarded).toHaveLength(1);
	});

	it("that come back are not sent to the same leader at once, but to the next one", () => {
		ask("a");
		commands.dispatch(follows);
		outcomesOf("n2", {});
		commands.dispatch(follows);
		expect(forwarded).toHaveLength(1);
		commands.dispatch({ ...follows, leader: "n3" });
		expect(forwarded).toHaveLength(2);
		outcomesOf("n3", {});
		clockMs += 100;
		commands.dispatch({ ...follows, leader: "n3" });
		expect(forwarded).toHaveLength(3);
		expect(outcomes.get("a")).toEqual([]);
	});

	it("are unknown once the link to the leader is broken: they may have arrived", () => {
		ask("sent");
		commands.dispatch(follows);
		ask("kept");
		commands.peerBroken("n2");
		expect(outcomes.get("sent")).toMatchObject([{ kind: "unknown" }]);
		outcomesOf("n2", { outcome: { kind: "committed", index: 4 } });
		expect(outcomes.get("sent")).toHaveLength(1);
		expect(outcomes.get("kept")).toEqual([]);
		commands.dispatch({ ...follows, leader: "n3" });
		expect(forwarded.map(({ command }) => `${command}`)).toEqual([
			...["sent", "kept"],
		]);
	});

	it("with ack none are answered once they are accepted, whatever follows", () => {
		ask("a", "none");
		expect(outcomes.get("a")).toEqual([]);
		commands.dispatch(alone);
		expect(outcomes.get("a")).toEqual([{ kind: "accepted" }]);
		commands.dispatch(follows);
		commands.peerBroken("n2");
		expect(outcomes.get("a")).toHaveLength(1);
		expect(commands.pending).toBe(0);
	});
});
