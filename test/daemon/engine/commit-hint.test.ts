import { expect, it } from "vitest";
import { Effects } from "../../../src/daemon/engine/effects.js";
import { zeroCounters } from "../../../src/daemon/engine/engine-stats.js";
import type { Peers } from "../../../src/daemon/peers/peers.js";
import { Raft } from "../../../src/raft/raft.js";
import { EntryKind } from "../../../src/raft/types.js";
import type {
	LogStorage,
	WriteBatch,
} from "../../../src/storage/log-storage.js";

const data = new Uint8Array(0);

/** A follower whose disk holds entries of these terms, the first of them committed. */
function followerWith(...terms: number[]) {
	const written: WriteBatch[] = [];
	const log = {
		append: (batch: WriteBatch) => void written.push(batch),
	} as LogStorage;
	const configuration = {
		...{ voters: ["n1", "n2", "n3"], outgoing: [], learners: [] },
		addresses: {},
	};
	const raft = new Raft(
		{
			...{ id: "n2", electionTimeoutMs: 1000, heartbeatIntervalMs: 100 },
			...{ transferTimeoutMs: 1000, diskStallMs: 1000, windowBytes: 1e6 },
			...{ outcomeTimeoutMs: 1000, maxMessageBytes: 1e5 },
			...{ maxInflightMessages: 4, maxInflightBytes: 1e5 },
			...{ maxUncommittedBytes: 1e6, maxClockDrift: 0.1, random: Math.random },
		},
		{
			hardState: { term: terms.at(-1) ?? 1, votedFor: null, commit: 1 },
			lastIndex: terms.length,
			terms: terms.map((term, at) => ({ term, first: at + 1 })),
			tail: terms.slice(1).map((term, at) => entry(at + 2, term)),
			...{
				applied: 1,
				configurations: [{ index: 1, configuration }],
				snapshot: null,
			},
		},
		0,
	);
	const effects = new Effects({
		...{ raft, log, counters: zeroCounters(), maxMessageBytes: 1e5 },
		peers: { message() {} } as unknown as Peers,
		diagnose() {},
		later() {},
	});
	return { raft, effects, written };
}

function entry(index: number, term: number) {
	return { index, term, kind: EntryKind.command, level: 1, data };
}

/** From the leader of `term`: entry 2, and that it is committed. */
function second(raft: Raft, term: number): void {
	raft.step(
		{
			...{ type: "append-request", from: "n1", to: "n2", term, session: 1 },
			...{ prevIndex: 1, prevTerm: 1, commit: 2, entries: [entry(2, term)] },
		},
		0,
	);
	expect(raft.status().commit).toBe(2);
}

it("the last commit hint is of entries that the log was given, whatever the core has heard since", () => {
	const { raft, effects, written } = followerWith(1);
	second(raft, 2);
	effects.writeCommitHint();
	expect(written).toEqual([]);
	while (raft.hasReady()) effects.execute(raft.ready());
	effects.writeCommitHint();
	expect(written.at(-1)?.hardState).toMatchObject({ commit: 2 });
});

it("the last commit hint commits nothing on the disk that the core has replaced", () => {
	const { raft, effects, written } = followerWith(1, 2, 2);
	second(raft, 3);
	effects.writeCommitHint();
	expect(written).toEqual([]);
});
