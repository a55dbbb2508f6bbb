import type { OperationEvent } from "../../../src/operations/events.js";

/** A roll that goes wrong on its second node: every kind of event, as an operation would say them. */
export const story: readonly OperationEvent[] = [
	{
		type: "plan",
		operation: "rolling-restart",
		steps: [
			{ id: "lock", title: "take the lock", node: null, cost: "" },
			{ id: "n2/drain", title: "drain", node: "n2", cost: "3 move" },
			{ id: "n2/restart", title: "restart", node: "n2", cost: "" },
			{ id: "n3/drain", title: "drain", node: "n3", cost: "" },
			{ id: "n3/restart", title: "restart", node: "n3", cost: "" },
			{ id: "n1/drain", title: "drain", node: "n1", cost: "" },
		],
	},
	{ type: "step-started", step: "lock", title: "take the lock", node: null },
	{
		type: "step-finished",
		step: "lock",
		node: null,
		durationMs: 12,
		note: null,
	},
	{ type: "step-started", step: "n2/drain", title: "drain", node: "n2" },
	{ type: "step-progress", step: "n2/drain", note: "3 left", node: "n2" },
	{
		type: "step-finished",
		step: "n2/drain",
		node: "n2",
		durationMs: 2_100,
		note: "3 moved",
	},
	{ type: "warning", node: "n2", message: "the disk is slow" },
	{ type: "step-started", step: "n2/restart", title: "restart", node: "n2" },
	{
		type: "step-finished",
		step: "n2/restart",
		node: "n2",
		durationMs: 900,
		note: null,
	},
	{ type: "step-skipped", step: "n3/drain", node: "n3", reason: "drained" },
	{ type: "step-started", step: "n3/restart", title: "restart", node: "n3" },
	{
		type: "step-failed",
		step: "n3/restart",
		node: "n3",
		reason: "it never became ready",
	},
	{ type: "step-started", step: "n3/undo", title: "undrain", node: "n3" },
	{
		type: "step-finished",
		step: "n3/undo",
		node: "n3",
		durationMs: 5,
		note: "undrained",
	},
];
