import { describe, expect, it } from "vitest";
import {
	clearAlarms,
	listAlarms,
	planClear,
} from "../../src/operations/alarms.js";
import { failureOf, operating } from "./operating.js";

const differs = (node: string) => ({
	...{ kind: "state-differs", node, message: "at index 2048" },
});
const wentBack = { kind: "log-went-back", node: "n2", message: "to 3" };

function alarmed(...alarms: readonly ReturnType<typeof differs>[]) {
	const world = operating({ n1: "voter", n2: "voter", n3: "voter" });
	world.cluster.alarms = [...alarms];
	return world;
}

describe("alarm list", () => {
	it("has every alarm that stands, and none where none does", async () => {
		const { context } = alarmed(differs("n2"), wentBack);
		expect((await listAlarms(context)).alarms).toEqual([
			...[differs("n2"), wentBack],
		]);
		expect((await listAlarms(alarmed().context)).alarms).toEqual([]);
	});
});

describe("alarm clear", () => {
	const options = { kind: null, lockWaitMs: 0 };

	it("ends the alarms about one node, and no other", async () => {
		const { cluster, context } = alarmed(differs("n2"), differs("n3"));
		const report = await clearAlarms(context, { node: "n3", ...options });
		expect(report.cleared).toEqual([differs("n3")]);
		expect(cluster.alarms).toEqual([differs("n2")]);
		expect(cluster.lock).toBeNull();
	});

	it("ends the one kind that is named", async () => {
		const corrupt = { ...differs("n3"), kind: "corrupt-data" };
		const { cluster, context } = alarmed(differs("n3"), corrupt);
		const kind = "corrupt-data";
		await clearAlarms(context, { ...options, node: "n3", kind });
		expect(cluster.alarms).toEqual([differs("n3")]);
	});

	it("does nothing where none stands, and shows in its plan what it would end", async () => {
		const { cluster, context } = alarmed(differs("n3"));
		const none = await clearAlarms(context, { node: "n1", ...options });
		expect(none.cleared).toEqual([]);
		const { plan } = await planClear(context, { node: "n3", kind: null });
		expect(plan.map(({ title }) => title)).toEqual([
			"end the alarm state-differs: at index 2048",
		]);
		expect(cluster.alarms).toEqual([differs("n3")]);
	});

	it("is refused for a voter whose log went back: it would count again (P31)", async () => {
		const { cluster, context } = alarmed(wentBack);
		const failure = await failureOf(
			clearAlarms(context, { node: "n2", ...options }),
		);
		expect(failure).toMatchObject({
			kind: "refused",
			next: expect.stringContaining("raftctl reset-node n2"),
		});
		expect(cluster.alarms).toEqual([wentBack]);
	});

	it("tells a mistyped node or kind from an alarm that is gone", async () => {
		const { context } = alarmed(differs("n3"));
		const node = await failureOf(
			clearAlarms(context, { node: "n33", ...options }),
		);
		expect(node).toMatchObject({ kind: "usage" });
		const kind = await failureOf(
			clearAlarms(context, { ...options, node: "n3", kind: "state-difers" }),
		);
		expect(kind).toMatchObject({
			...{ kind: "refused", state: "every alarm stands as before" },
			problems: ["there is state-differs about n3"],
		});
	});
});
