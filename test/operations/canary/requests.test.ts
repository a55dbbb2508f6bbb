import { describe, expect, it } from "vitest";
import {
	canaryRequests,
	canaryScript,
} from "../../../src/operations/canary/requests.js";
import { failureOf } from "../operating.js";

const bundled = { app: null, canary: null, source: "cluster.yaml" };

describe("what a canary asks", () => {
	it("is in the key-value machine's words, of a key of its own", () => {
		const script = canaryScript(canaryRequests(bundled), "ab12");
		expect(script.write(7)).toEqual({
			method: "POST",
			path: "/v1/command",
			body: '{"op":"put","key":"raftctl/canary/ab12","value":"canary-ab12-7"}',
		});
		expect(script.read().body).toContain('"get"');
		expect(script.remove()?.body).toContain('"delete"');
	});

	it("is what the cluster file says: GET without a body, POST with one or to write", () => {
		const canary = {
			write: { path: "/put/{key}?v={value}", body: null },
			read: { path: "/get/{key}", body: null },
			remove: null,
		};
		const script = canaryScript(canaryRequests({ ...bundled, canary }), "x");
		expect(script.write(1)).toEqual({
			...{ method: "POST", body: "" },
			path: "/put/raftctl%2Fcanary%2Fx?v=canary-x-1",
		});
		expect(script.read()).toEqual({
			...{ method: "GET", body: null },
			path: "/get/raftctl%2Fcanary%2Fx",
		});
		expect(script.remove()).toBeNull();
		expect(script.readsBack).toBe(true);
	});

	it("finds the newest of its own writes in an answer, and nobody else's", () => {
		const script = canaryScript(canaryRequests(bundled), "x");
		expect(script.numberIn('["canary-x-7","canary-x-12"]')).toBe(12);
		expect(script.numberIn('"canary-y-7"')).toBeNull();
		expect(script.numberIn('{"key":"raftctl/canary/x"}')).toBeNull();
	});

	it("cannot be read back where what is written has no place for a value", () => {
		const touch = { path: "/touch", body: null };
		const canary = { write: touch, read: touch, remove: null };
		const script = canaryScript(canaryRequests({ ...bundled, canary }), "x");
		expect(script.readsBack).toBe(false);
	});

	it("is not known of a machine of the team's own, unless the cluster file says it", async () => {
		const own = { ...bundled, app: "/app.js" };
		const error = await failureOf((async () => canaryRequests(own))());
		expect(error.kind).toBe("config");
		expect(error.next).toContain('section "canary" to cluster.yaml');
	});
});
