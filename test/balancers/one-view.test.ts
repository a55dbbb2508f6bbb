import { describe, expect, it } from "vitest";
import type { BackendStatus } from "../../src/balancers/balancer.js";
import { oneView } from "../../src/balancers/one-view.js";

const at = (
	state: BackendStatus["state"],
	connections: number,
	reason = "",
): BackendStatus => ({
	node: "n1",
	admitting: state === "up",
	...{ state, connections, reason },
});

describe("several balancers as one", () => {
	it("are one as it is", () => {
		const backends = [at("up", 3)];
		expect(oneView([{ host: "lb", backends }])).toBe(backends);
	});

	it("add up connections", () => {
		const [found] = oneView([
			{ host: "lb", backends: [at("up", 3)] },
			{ host: "lb2", backends: [at("up", 4)] },
		]);
		expect(found).toEqual(at("up", 7));
	});

	it("send a node connections until the last of them does not, and say who disagrees", () => {
		const [found] = oneView([
			{ host: "lb", backends: [at("drain", 3, "draining")] },
			{ host: "lb2", backends: [at("up", 4)] },
		]);
		expect(found).toMatchObject({
			admitting: true,
			state: "drain",
			disagreement: "lb: draining",
		});
	});

	it("have a node down where one of them does not know it", () => {
		const [found] = oneView([
			{ host: "lb", backends: [] },
			{ host: "lb2", backends: [at("drain", 4, "draining")] },
		]);
		expect(found).toMatchObject({ admitting: false, state: "down" });
		expect(found?.disagreement).toBeUndefined();
		expect(found?.reason).toContain("lb: its configuration does not have it");
	});
});
