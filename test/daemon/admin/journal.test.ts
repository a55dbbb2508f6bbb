import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { maxRecordBytes } from "../../../src/machines/control.js";
import { type AdminNode, callJson, startAdminNode } from "./admin-node.js";

let node: AdminNode;
beforeEach(async () => {
	node = await startAdminNode();
});
afterEach(() => node.server.close());

const call = (method: string, request: object = {}) =>
	callJson(node, method, request);

const lock = { holder: "ci", host: "h1", operation: "roll", ttlMs: 60_000 };

async function begun() {
	const { body } = await call("AcquireLock", lock);
	return {
		...{ id: "o1", unfinished: true, record: "{}" },
		fencingToken: String(body.lock?.fencingToken),
	};
}

describe("the journal on the admin port", () => {
	it("takes a record, and shows it in the status until it is finished", async () => {
		const write = await begun();
		const { body } = await call("WriteOperation", write);
		expect(body.operation).toMatchObject({
			...{ id: "o1", unfinished: true, record: "{}" },
		});
		expect((await call("GetStatus")).body.operation).toEqual(body.operation);
		await call("WriteOperation", { ...write, unfinished: false });
		expect((await call("GetStatus")).body).not.toHaveProperty("operation");
		const listed = await call("ListOperations");
		expect(listed.body.operations).toMatchObject([{ id: "o1", record: "{}" }]);
	});

	it("refuses a second operation, and shows the one that is not finished", async () => {
		const write = await begun();
		await call("WriteOperation", write);
		const { status, body } = await call("WriteOperation", {
			...{ ...write, id: "o2" },
		});
		expect(status).toBe(400);
		expect(body).toMatchObject({
			code: "failed_precondition",
			message: "nothing was written: operation o1 is not finished",
		});
		expect(body.details?.[0]).toMatchObject({
			type: "raftctl.admin.v1.OperationRefusal",
			debug: { reason: "unfinished-operation", operation: { id: "o1" } },
		});
	});

	it("says that a finished one stays as it is", async () => {
		const write = { ...(await begun()), unfinished: false };
		await call("WriteOperation", write);
		for (const [method, request] of [
			["WriteOperation", { ...write, record: "[]" }],
			["PauseOperation", { id: "o1" }],
		] as const) {
			const { body } = await call(method, request);
			expect(body).toMatchObject({
				code: "failed_precondition",
				message:
					"operation o1 is finished already, and stays as it was recorded",
			});
			expect(body.details?.[0]?.debug).toMatchObject({
				reason: "finished-operation",
			});
		}
	});

	it("names who holds the lock to whoever does not", async () => {
		const write = await begun();
		const { status, body } = await call("WriteOperation", {
			...{ ...write, fencingToken: "1" },
		});
		expect(status).toBe(409);
		expect(body.code).toBe("aborted");
		expect(body.message).toContain(
			"the operation lock was lost: ci on h1 holds it for roll until",
		);
		expect(body.details?.[0]?.debug).toMatchObject({ holder: "ci" });
	});

	it("takes the wish to pause from anybody, for an operation that there is", async () => {
		await call("WriteOperation", await begun());
		expect((await call("PauseOperation", { id: "o1" })).status).toBe(200);
		expect((await call("GetStatus")).body.operation).toMatchObject({
			pauseRequested: true,
		});
		expect((await call("PauseOperation", { id: "o9" })).body).toMatchObject({
			...{ code: "not_found", message: "the journal has no operation o9" },
		});
	});

	it("is listed by a node that has executed what is committed, not before", async () => {
		node.replica.readIndexAnswer = 12;
		const listing = call("ListOperations");
		await begun().then((write) => call("WriteOperation", write));
		node.replica.applied = 12;
		expect((await listing).body.operations).toMatchObject([{ id: "o1" }]);
		node.replica.readIndexAnswer = null;
		expect((await call("ListOperations")).body.code).toBe("unavailable");
	});

	it.each([
		["no id", { id: "" }, "id must not be empty"],
		["no record", { record: "" }, "record must have 1 to 16384 bytes, not 0"],
		[
			"a record that is too long",
			{ record: "a".repeat(maxRecordBytes + 1) },
			"record must have 1 to 16384 bytes, not 16385",
		],
		["a record on two lines", { record: "{\n}" }, "record must be on one line"],
		[
			"a token that nobody got",
			{ fencingToken: "18446744073709551615" },
			"was never handed out",
		],
	])("refuses %s before the log sees it", async (_what, wrong, words) => {
		const { status, body } = await call("WriteOperation", {
			...{ ...(await begun()), ...wrong },
		});
		expect(status).toBe(400);
		expect(body.code).toBe("invalid_argument");
		expect(body.message).toContain(words);
	});

	it("takes the longest record, quotes and all", async () => {
		const write = { ...(await begun()), record: '"'.repeat(maxRecordBytes) };
		expect((await call("WriteOperation", write)).status).toBe(200);
	});

	it("says whether anything was written when there is no quorum", async () => {
		const write = await begun();
		node.replica.refuseControl = { kind: "unknown", message: "leader lost" };
		expect((await call("WriteOperation", write)).body).toMatchObject({
			code: "deadline_exceeded",
			message: "the journal may or may not have changed: leader lost",
		});
	});
});
