import { parseArgs } from "node:util";
import { OperatorError, reasonOf } from "../../../src/errors.js";
import type { Lab } from "../lab.js";
import { faults } from "./faults.js";
import { operations } from "./operations.js";
import { type FaultsOptions, runFaults } from "./run.js";
import { tableOf } from "./table.js";

/** Prints what `runFaults` found. Returns 1 where something did not hold, or could not be looked at. */
export async function showFaults(
	lab: Lab,
	words: readonly string[],
	outside: Pick<FaultsOptions, "raftctl" | "tell">,
): Promise<number> {
	const { json, ...wish } = wishIn(words);
	const report = await runFaults(lab, { ...wish, ...outside });
	const { rounds, unplayed } = report;
	if (json) console.log(JSON.stringify(report));
	else for (const line of [...tableOf(rounds), ...unplayed]) console.log(line);
	const isBroken = rounds.some(({ broken }) => broken.length > 0);
	return isBroken || unplayed.length > 0 ? 1 : 0;
}

/** Throws OperatorError "usage". */
export function wishIn(words: readonly string[]) {
	const { operation = [], fault = [], seed, json } = parsed(words);
	if (!/^\d{1,9}$/.test(seed))
		throw new OperatorError("usage", `--seed is ${seed}, no whole number`);
	return {
		operations: known("operation", operation, operations),
		faults: known("fault", fault, faults),
		...{ seed: Number(seed), json },
	};
}

function parsed(words: readonly string[]) {
	const many = { type: "string", multiple: true } as const;
	try {
		return parseArgs({
			args: [...words],
			options: {
				operation: many,
				fault: many,
				seed: { type: "string", default: `${Date.now() % 1_000_000}` },
				json: { type: "boolean", default: false },
			},
		}).values;
	} catch (error) {
		throw new OperatorError("usage", reasonOf(error));
	}
}

function known(
	what: string,
	wanted: readonly string[],
	all: readonly { readonly name: string }[],
): readonly string[] {
	const names = all.map(({ name }) => name);
	const unknown = wanted.find((one) => !names.includes(one));
	if (unknown === undefined) return wanted;
	throw new OperatorError(
		"usage",
		`there is no ${what} "${unknown}", only ${names.join(", ")}`,
	);
}
