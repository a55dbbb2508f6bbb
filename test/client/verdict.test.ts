import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OpenSession } from "../../src/client/open-session.js";
import type { Request } from "../../src/client/request.js";
import {
	afterFailure,
	afterLoss,
	neverSent,
	unanswered,
} from "../../src/client/verdict.js";
import { outcomes, reasons } from "../../src/wire/client-frames.js";

function command(isInSession: boolean): Request {
	const session = new OpenSession(1, 1000);
	return {
		words: { kind: "command", ack: "apply" },
		bytes: Buffer.from("c"),
		deadlineMs: 0,
		place: isInSession ? { session, sequence: session.begin() } : null,
		...{ isDoubtful: false, attempts: 1, order: 0, settled: false },
		...{ resolve() {}, reject() {} },
	};
}

const failure = fc.record({
	kind: fc.constant("failed" as const),
	requestId: fc.constant(1),
	outcome: fc.constantFrom(...outcomes),
	reason: fc.constantFrom(...reasons),
	retryAfterMs: fc.nat(1000),
	message: fc.constant("why"),
});
const attempt = fc.oneof(failure, fc.constant("lost" as const));

describe("what follows from an attempt", () => {
	it("never is another one without a session, once a command may have been executed", () => {
		fc.assert(
			fc.property(fc.array(attempt, { maxLength: 8 }), (attempts) => {
				const request = command(false);
				for (const one of attempts) {
					const verdict =
						one === "lost"
							? afterLoss(request, "cut")
							: afterFailure(request, one);
					const isOpen = one === "lost" || one.outcome === "unknown";
					if (isOpen) expect(verdict.next).toBe("end");
					expect(verdict.error.name).toBe(
						isOpen ? "OutcomeUnknownError" : "NotDoneError",
					);
					if (verdict.next === "end") return;
				}
			}),
		);
	});

	it("is never another session for what is in none", () => {
		fc.assert(
			fc.property(failure, (one) => {
				const request = command(false);
				const query = { kind: "query", consistency: "stale", minIndex: 0 };
				const asked = { ...request, words: query } as Request;
				expect(afterFailure(request, one).next).not.toBe("new-session");
				expect(afterFailure(asked, one).next).not.toBe("new-session");
			}),
		);
	});

	it("is not done only where no attempt may have been executed, and never another session after one that may", () => {
		fc.assert(
			fc.property(fc.array(attempt, { maxLength: 12 }), (attempts) => {
				const request = command(true);
				let mayBeExecuted = false;
				for (const one of attempts) {
					const verdict =
						one === "lost"
							? afterLoss(request, "cut")
							: afterFailure(request, one);
					mayBeExecuted ||= one === "lost" || one.outcome === "unknown";
					const error = mayBeExecuted ? "OutcomeUnknownError" : "NotDoneError";
					expect(verdict.error.name).toBe(error);
					expect(neverSent(request, null).name).toBe(error);
					expect(unanswered(request).name).toBe("OutcomeUnknownError");
					if (mayBeExecuted) expect(verdict.next).not.toBe("new-session");
					if (verdict.next !== "retry") return;
				}
			}),
		);
	});

	it("is another attempt in the session while the outcome is open, and when its results leave no room", () => {
		const base = { kind: "failed" as const, requestId: 1, message: "why" };
		const open = afterFailure(command(true), {
			...{ ...base, outcome: "unknown", reason: "unknown", retryAfterMs: 0 },
		});
		expect(open.next).toBe("retry");
		const full = { outcome: "rejected", reason: "session-misused" } as const;
		expect(
			afterFailure(command(true), { ...base, ...full, retryAfterMs: 0 }).next,
		).toBe("retry");
		const busy = { outcome: "rejected", reason: "overloaded" } as const;
		expect(
			afterFailure(command(false), { ...base, ...busy, retryAfterMs: 70 }),
		).toMatchObject({ next: "retry", atLeastMs: 70 });
	});
});
