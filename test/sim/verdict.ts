import type { BatchResult } from "./batch.js";
import { coverageSeeds, coverageSteps, missingCoverage } from "./coverage.js";

export interface Verdict {
	/** 1 when a rule was broken, or when a batch that is big enough never saw something happen. */
	readonly exitCode: 0 | 1;
	/** Whether the batch was big enough for its coverage to be judged. */
	readonly judged: boolean;
	/** What to tell, in lines. */
	readonly remarks: readonly string[];
}

/** What a batch proves. A failed one proves enough: its coverage is not judged, as it ended early. */
export function judge(batch: BatchResult): Verdict {
	const { seeds, steps, coverage, failed } = batch;
	if (failed !== null) return { exitCode: 1, judged: false, remarks: [] };
	if (seeds < coverageSeeds || steps < coverageSteps) {
		const remark = `coverage not judged: ${seeds} seeds and ${steps} steps are too few`;
		return { exitCode: 0, judged: false, remarks: [remark] };
	}
	const missing = missingCoverage(coverage);
	return {
		exitCode: missing.length === 0 ? 0 : 1,
		judged: true,
		remarks: missing.map((name) => `never happened in ${seeds} seeds: ${name}`),
	};
}
