import { setTimeout as sleep } from "node:timers/promises";
import { OperatorError } from "../../src/errors.js";

const pauseMs = 20;

/** Asks again and again until it is so. Throws OperatorError "timeout" after `limitMs`. */
export async function until(
	isSo: () => Promise<boolean>,
	limitMs: number,
	{ what, node }: { readonly what: string; readonly node?: string },
): Promise<void> {
	const end = performance.now() + limitMs;
	while (!(await isSo())) {
		if (performance.now() > end) {
			throw new OperatorError(
				"timeout",
				`waited ${limitMs} ms for ${what}`,
				node === undefined ? {} : { node },
			);
		}
		await sleep(pauseMs);
	}
}
