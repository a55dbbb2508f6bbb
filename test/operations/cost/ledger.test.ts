import { describe, expect, it } from "vitest";
import { CostLedger } from "../../../src/operations/cost/ledger.js";

describe("the ledger of an operation", () => {
	it("counts a node as down from its stop until it was ready for the first time", () => {
		const ledger = new CostLedger();
		ledger.stopping("n2", 100);
		ledger.ready("n2", 700.4);
		ledger.ready("n2", 900);
		ledger.stopping("n3", 1_000);
		expect(ledger.downtime(4_000)).toEqual([
			{ node: "n2", downtimeMs: 600, back: true },
			{ node: "n3", downtimeMs: 3_000, back: false },
		]);
	});

	it("counts the connections that left a node, once its drain came to its end", () => {
		const ledger = new CostLedger();
		ledger.seen("n2", 30);
		ledger.seen("n2", 40);
		expect(ledger.connectionsMoved).toBe(0);
		ledger.moved("n2");
		ledger.moved("n2");
		ledger.seen("n3", 7);
		expect(ledger.connectionsMoved).toBe(40);
	});
});
