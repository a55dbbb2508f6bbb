import { beforeEach, describe, expect, it } from "vitest";
import { Downloads } from "../../../../src/daemon/engine/snapshots/downloads.js";
import type { SnapshotManifest } from "../../../../src/storage/snapshots/snapshot-store.js";

const manifest = (index: number, machine = "kv") =>
	({ index, machine, id: `${machine}-${index}` }) as SnapshotManifest;

let clockMs = 0;
let listed: SnapshotManifest[] = [];
let asked: number[] = [];
let fetched: number[] = [];
let said: string[] = [];
/** How the next fetches end; they hang while there is none. */
let ends: (SnapshotManifest | null | Error)[] = [];
let downloads: Downloads;

beforeEach(() => {
	clockMs = 0;
	[listed, asked, fetched, said, ends] = [[], [], [], [], []];
	downloads = new Downloads({
		store: { list: () => listed },
		diagnose: (_level, message) => said.push(message),
		nowMs: () => clockMs,
		fetch(_from, index) {
			asked.push(index);
			const end = ends.shift();
			if (end === undefined) return new Promise(() => {});
			return end instanceof Error ? Promise.reject(end) : Promise.resolve(end);
		},
		refuses: ({ machine }) => (machine === "kv" ? null : "another machine"),
		onFetched: ({ index }) => void fetched.push(index),
		onFailed() {},
	});
});

async function offer(index: number): Promise<void> {
	downloads.wanted({ from: "n2", index, term: 3 });
	await new Promise((resolve) => setImmediate(resolve));
}

describe("fetching what the leader offers", () => {
	it("asks once, however often it is offered", async () => {
		for (let times = 0; times < 3; times++) await offer(7);
		expect(asked).toEqual([7]);
		expect(fetched).toEqual([]);
	});

	it("waits longer after each failure, at most ten seconds, and begins anew after a success", async () => {
		const pauses: number[] = [];
		for (let times = 0; times < 9; times++) {
			const sinceMs = clockMs;
			ends.push(times % 2 === 0 ? new Error("the connection ended") : null);
			while (asked.length <= times) {
				await offer(7);
				if (asked.length <= times) clockMs += 50;
			}
			pauses.push(clockMs - sinceMs);
		}
		expect(pauses).toEqual([
			...[0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000],
		]);
		clockMs += 10_000;
		ends.push(manifest(8));
		await offer(8);
		expect(fetched).toEqual([8]);
		ends.push(null);
		await offer(9);
		clockMs += 250;
		await offer(9);
		expect(asked.slice(-2)).toEqual([9, 9]);
	});

	it("takes what is here already, as after a crash between fetching and installing", async () => {
		listed = [manifest(9), manifest(3)];
		await offer(7);
		expect({ asked, fetched }).toEqual({ asked: [], fetched: [9] });
	});

	it("installs nothing that is of no use, says so once, and does not fetch it again and again", async () => {
		ends.push(manifest(7, "other"));
		await offer(7);
		listed = [manifest(7, "other")];
		for (let times = 0; times < 20; times++) {
			clockMs += 10_000;
			await offer(7);
		}
		expect({ asked, fetched }).toEqual({ asked: [7], fetched: [] });
		expect(said.filter((text) => text.includes("of no use"))).toEqual([
			"the leader's snapshot is of no use here: another machine",
		]);
	});
});
