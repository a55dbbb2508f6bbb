import { expect, it } from "vitest";
import { controlRefusal } from "../../../src/daemon/engine/control-refusal.js";

const nowMs = 1_800_000_000_000;
const refusal = (command: object) =>
	controlRefusal(Buffer.from(JSON.stringify(command)), nowMs);

it("a command of the cluster's own enters the log only if this release knows it, and its clock is right", () => {
	expect(refusal({ type: "tick", nowMs })).toBeNull();
	expect(refusal({ type: "tick", nowMs: nowMs + 3_600_000 })).toMatchObject({
		reason: "clock",
	});
	for (const unknown of [{ type: "later", nowMs }, { type: "tick" }, {}])
		expect(refusal(unknown)).toMatchObject({ reason: "level" });
	expect(controlRefusal(Buffer.from("no command"), nowMs)).toMatchObject({
		reason: "level",
	});
});
