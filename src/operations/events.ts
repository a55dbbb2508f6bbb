import type { OperationCost } from "./cost/cost.js";

/**
 * What an operation says while it runs: data, never text for a terminal. `cli/` turns it into a live list, into lines
 * or into NDJSON (schema version 1, docs/cli.md).
 */
export type OperationEvent =
	| {
			readonly type: "plan";
			readonly operation: string;
			readonly steps: readonly PlannedStep[];
			/** What an earlier attempt did already, in sentences; only of what is taken up. */
			readonly soFar?: readonly string[];
	  }
	| {
			readonly type: "step-started";
			readonly step: string;
			readonly title: string;
			readonly node: string | null;
	  }
	| {
			readonly type: "step-progress";
			readonly step: string;
			readonly note: string;
			readonly node: string | null;
	  }
	| {
			readonly type: "step-finished";
			readonly step: string;
			readonly node: string | null;
			readonly durationMs: number;
			readonly note: string | null;
	  }
	| {
			readonly type: "step-skipped";
			readonly step: string;
			readonly node: string | null;
			readonly reason: string;
	  }
	| {
			readonly type: "step-failed";
			readonly step: string;
			readonly node: string | null;
			readonly reason: string;
	  }
	| {
			readonly type: "warning";
			readonly node: string | null;
			readonly message: string;
	  }
	| {
			/** At the end, also when it failed. */
			readonly type: "cost";
			readonly cost: OperationCost;
	  };

/** A step with what it will cost, as `--dry-run` shows it and as the run then does it. */
export interface PlannedStep {
	/** Stable within the operation, for example "n2/drain". */
	readonly id: string;
	readonly title: string;
	readonly node: string | null;
	/** What it costs: connections that move, the quorum's margin while it runs; empty when nothing. */
	readonly cost: string;
}

export type Emit = (event: OperationEvent) => void;
