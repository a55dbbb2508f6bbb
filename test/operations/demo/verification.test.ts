import { describe, expect, it } from "vitest";
import {
	judgeEvents,
	lostOn,
} from "../../../src/operations/demo/verification.js";
import { put, startNode } from "../../daemon/api/harness.js";

describe("a subscriber's events against the acknowledged writes", () => {
	it("are right when each came once and in order, others among them or not", () => {
		expect(judgeEvents([2, 3, 5, 8], new Set([2, 5, 8]))).toEqual({
			missed: 0,
			doubled: 0,
		});
		expect(judgeEvents([], new Set())).toEqual({ missed: 0, doubled: 0 });
	});

	it("count as missed when they never came", () => {
		expect(judgeEvents([2, 5], new Set([2, 3, 5, 8]))).toEqual({
			missed: 2,
			doubled: 0,
		});
	});

	it("count as doubled when they came again, at once or later", () => {
		expect(judgeEvents([2, 2, 3, 5, 3], new Set([2, 3, 5]))).toEqual({
			missed: 0,
			doubled: 2,
		});
	});

	it("count as doubled, not as missed, when they came out of order", () => {
		expect(judgeEvents([2, 5, 3], new Set([2, 3, 5]))).toEqual({
			missed: 0,
			doubled: 1,
		});
	});
});

describe("reading acknowledged writes back from a node", () => {
	const options = { minIndex: 0, timeoutMs: 5000 };

	it("finds what is missing and what differs, and nothing else", async () => {
		const node = await startNode();
		await put(node, "w0/0", "a");
		await put(node, "w0/1", "not what was acknowledged");
		await put(node, "w0/2", "c");
		const acknowledged = [
			{ key: "w0/0", value: "a", index: 1 },
			{ key: "w0/1", value: "b", index: 2 },
			{ key: "w1/0", value: "d", index: 4 },
		];
		expect(
			await lostOn(`127.0.0.1:${node.api.port}`, acknowledged, options),
		).toEqual(["w0/1", "w1/0"]);
	});

	it("reads beyond the first page", async () => {
		const node = await startNode();
		const acknowledged = Array.from({ length: 1001 }, (_, at) => ({
			key: `w${at}`,
			value: `${at}`,
			index: at + 1,
		}));
		await Promise.all(
			acknowledged.map(({ key, value }) => put(node, key, value)),
		);
		const address = `127.0.0.1:${node.api.port}`;
		expect(await lostOn(address, acknowledged, options)).toEqual([]);
		const never = { key: "w-never", value: "", index: 2000 };
		expect(await lostOn(address, [...acknowledged, never], options)).toEqual([
			"w-never",
		]);
	});
});
