import { describe, expect, it } from "vitest";
import { exposition } from "../../../src/daemon/admin/exposition.js";
import { scheduleFamilies } from "../../../src/daemon/admin/schedule-metrics.js";
import { createControlState } from "../../../src/machines/control.js";

const samples = (...given: Parameters<typeof scheduleFamilies>) =>
	scheduleFamilies(...given)
		.map(exposition)
		.join("")
		.split("\n")
		.filter((line) => line !== "" && !line.startsWith("#"));

describe("the metrics of the snapshot schedule", () => {
	it("tell of none by a 0 that no alarm takes for a snapshot of now", () => {
		expect(samples(createControlState(), 5_000_000)).toEqual([
			"raftd_snapshot_schedule_interval_seconds 0",
			"raftd_scheduled_snapshot_timestamp_seconds 0",
			"raftd_scheduled_snapshot_age_seconds -1",
			"raftd_scheduled_snapshot_index 0",
			"raftd_scheduled_snapshot_bytes 0",
			"raftd_scheduled_snapshot_failed 0",
		]);
	});

	it("tell the age of the last one that went well, and whether the last attempt failed", () => {
		const state = createControlState();
		state.snapshotSchedule = {
			...{ intervalMs: 60_000, keep: 3, directory: "/backups" },
			...{ command: [], s3: null },
		};
		state.scheduledSnapshot = {
			...{ succeededAtMs: 1_000_000, index: 42, node: "n2", file: "/f" },
			...{ bytes: 4096, attemptedAtMs: 1_060_000, fault: "no room" },
		};
		expect(samples(state, 1_090_500)).toEqual([
			"raftd_snapshot_schedule_interval_seconds 60",
			"raftd_scheduled_snapshot_timestamp_seconds 1000",
			"raftd_scheduled_snapshot_age_seconds 90.5",
			"raftd_scheduled_snapshot_index 42",
			"raftd_scheduled_snapshot_bytes 4096",
			"raftd_scheduled_snapshot_failed 1",
		]);
	});

	it("do not tell of an age below 0 where the clocks of two nodes differ", () => {
		const state = createControlState();
		state.scheduledSnapshot = {
			...{ succeededAtMs: 2000, index: 1, node: "n2", file: "/f" },
			...{ bytes: 1, attemptedAtMs: 2000, fault: "" },
		};
		expect(samples(state, 1000)).toContain(
			"raftd_scheduled_snapshot_age_seconds 0",
		);
	});
});
