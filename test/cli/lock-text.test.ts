import { describe, expect, it } from "vitest";
import { locksText } from "../../src/cli/lock-text.js";

const held = {
	...{ holder: "ann@desk:7", host: "desk", nonce: "a", step: "n2/drain" },
	...{ operation: "rolling-restart", fencingToken: 7 },
	...{ acquiredAtMs: 300_000, expiresAtMs: 320_000 },
};
const endOf = (lock: Parameters<typeof locksText>[0]["lock"], nowMs: number) =>
	locksText({ lock, hosts: null }, nowMs).split("\n").at(-1);

describe("the operation lock for people", () => {
	it("ends when the cluster ends it, wherever this machine's clock stands", () => {
		expect(endOf({ ...held, leftMs: 12_400 }, 7_000)).toBe(
			"ends      in 13 s, unless it is renewed",
		);
		expect(endOf({ ...held, leftMs: 12_400 }, 900_000)).toBe(
			"ends      in 13 s, unless it is renewed",
		);
		expect(endOf({ ...held, leftMs: 0 }, 7_000)).toBe(
			"ends      now: it was not renewed in time",
		);
	});

	it("ends by this machine's clock where the nodes are too old to say more", () => {
		expect(endOf(held, 310_000)).toBe(
			"ends      in 10 s, unless it is renewed",
		);
	});
});
