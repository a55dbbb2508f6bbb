import { expect, it } from "vitest";
import { bestSuccessor } from "../../../src/daemon/engine/transfers.js";
import type { FollowerStatus, Status } from "../../../src/raft/types.js";

function follower(id: string, match: number, counted = true): FollowerStatus {
	return {
		...{ id, state: "replicate", match, next: match + 1, counted },
		...{ inflightMessages: 0, inflightBytes: 0, heardAgoMs: 5 },
		catchUp: {
			...{ lagEntries: 0, entriesPerSecond: 0 },
			...{ remainingMs: 0, caughtUp: true },
		},
	};
}

function leading(...followers: FollowerStatus[]): Status {
	const voters = ["n1", "n2", "n3"];
	const configuration = { voters, outgoing: [], learners: [], addresses: {} };
	return { followers, configuration } as unknown as Status;
}

it("the successor is the connected voter that holds the most", () => {
	const status = leading(follower("n2", 7), follower("n3", 9));
	expect(bestSuccessor(status, () => true)).toBe("n3");
	expect(bestSuccessor(status, (id) => id !== "n3")).toBe("n2");
	expect(bestSuccessor(status, () => false)).toBeNull();
});

it("nobody whose log went back is chosen, however much it holds (P31)", () => {
	const status = leading(follower("n2", 7), follower("n3", 9, false));
	expect(bestSuccessor(status, () => true)).toBe("n2");
});
