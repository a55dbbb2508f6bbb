import { expect, it } from "vitest";
import { clockRefusal } from "../../../src/daemon/engine/clock-refusal.js";

const nowMs = 1_800_000_000_000;
const at = (commandMs: number) =>
	Buffer.from(JSON.stringify({ type: "tick", nowMs: commandMs }));

it("a command of the cluster's own is refused when its clock is far ahead of the leader's", () => {
	expect(clockRefusal(at(nowMs + 3_600_000), nowMs)).toMatchObject({
		...{ kind: "rejected", reason: "clock" },
		message: expect.stringContaining("3600 s ahead"),
	});
});

it("it is let in when its clock is right, a little ahead, or behind", () => {
	for (const offMs of [0, 9_000, -3_600_000])
		expect(clockRefusal(at(nowMs + offMs), nowMs)).toBeNull();
	expect(clockRefusal(Buffer.from("no command"), nowMs)).toBeNull();
});
