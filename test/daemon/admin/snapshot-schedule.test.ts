import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AdminNode, callJson, startAdminNode } from "./admin-node.js";

let node: AdminNode;
beforeEach(async () => {
	node = await startAdminNode();
});
afterEach(() => node.server.close());

const s3 = { endpoint: "https://s3.example:9000", bucket: "backups" };
const schedule = {
	...{ intervalMs: "3600000", keep: 24, directory: "/backups" },
	...{ command: ["sync-away", "--fast"], s3 },
};

const set = (wish: object = {}, rest: object = {}) =>
	callJson(node, "SetSnapshotSchedule", {
		schedule: { ...schedule, ...wish },
		...rest,
	});
const shown = async () =>
	(await callJson(node, "GetStatus")).body.snapshotSchedule;

describe("the snapshot schedule on the admin port", () => {
	it("is set, shown by the status, and ended", async () => {
		expect((await set()).status).toBe(200);
		expect(await shown()).toEqual(schedule);
		await callJson(node, "SetSnapshotSchedule");
		expect(await shown()).toBeUndefined();
	});

	it("is fenced by the lock, where the log decides", async () => {
		const { body } = await callJson(node, "AcquireLock", {
			...{ holder: "ci", host: "h1", operation: "roll", ttlMs: 60_000 },
		});
		const fencingToken = String(body.lock?.fencingToken);
		for (const [token, words] of [
			["0", "ci on h1 holds the lock for roll"],
			["1", "fencing token 1 is out of date; ci on h1 holds the lock"],
		] as const) {
			const refused = await set({}, { fencingToken: token });
			expect(refused.body.code).toBe("failed_precondition");
			expect(refused.body.message).toContain(words);
			expect(refused.body.details?.[0]?.debug).toMatchObject({ holder: "ci" });
		}
		expect(await shown()).toBeUndefined();
		expect((await set({}, { fencingToken })).status).toBe(200);
	});

	it.each([
		[{ intervalMs: "10" }, "schedule.interval_ms must be 1000 to 31622400000"],
		[{ intervalMs: "18446744073709551615" }, "schedule.interval_ms must be"],
		[{ keep: 0 }, "schedule.keep must be 1 to 1000, not 0"],
		[{ directory: "backups" }, "it must be an absolute path"],
		[{ directory: "" }, "it must be an absolute path"],
		[{ directory: "/a\0b" }, "it must be an absolute path"],
		[{ command: [""] }, "schedule.command must begin with a program"],
		[{ command: Array(17).fill("a") }, "has 17 words; there may be 16"],
		[{ command: ["a", "b".repeat(1025)] }, "more than 1024 characters"],
		[{ s3: { ...s3, endpoint: "s3.example" } }, "endpoint must be http(s)://"],
		[
			{ s3: { ...s3, endpoint: "https://key:secret@s3.example" } },
			"without a path or credentials",
		],
		[{ s3: { ...s3, bucket: "B" } }, "schedule.s3.bucket is"],
		[
			{ s3: { ...s3, prefix: "a".repeat(257) } },
			"schedule.s3.prefix must have at most 256",
		],
	])("refuses %j", async (wrong, words) => {
		const { status, body } = await set(wrong);
		expect(status).toBe(400);
		expect(body.code).toBe("invalid_argument");
		expect(body.message).toContain(words);
		expect(body.message).not.toContain("secret");
		expect(await shown()).toBeUndefined();
	});
});
