import { expect, it } from "vitest";
import {
	digestInterval,
	StateDigests,
} from "../../../../src/daemon/engine/state/digests.js";

const ok = Buffer.from("ok");

function take(digests: StateDigests, index: number): void {
	digests.executed(ok);
	if (index % digestInterval === 0) digests.take(index, [Buffer.alloc(0)]);
}

it("nodes that once came to different results differ in every later digest, so that no comparison comes too late (P60)", () => {
	const [one, other] = [new StateDigests(), new StateDigests()];
	one.executed(Buffer.from("swapped"));
	other.executed(Buffer.from("refused"));
	for (let index = 1; index <= 4 * digestInterval; index++)
		for (const digests of [one, other]) take(digests, index);
	const { newest } = one;
	expect(newest?.index).toBe(4 * digestInterval);
	expect(newest && other.compare(newest.index, newest.digest)).not.toBeNull();
});

it("a node that goes on from another's snapshot comes to the same digests", () => {
	const one = new StateDigests();
	for (let index = 1; index <= 2_500; index++) take(one, index);
	const other = StateDigests.decode(one.encode());
	for (let index = 2_501; index <= 5_000; index++)
		for (const digests of [one, other]) take(digests, index);
	expect(other.newest).toEqual(one.newest);
});
