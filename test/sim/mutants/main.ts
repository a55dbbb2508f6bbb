import { parseArgs } from "node:util";
import { type AnyMutant, allMutants } from "./all.js";
import { misfits } from "./bundle.js";
import { MutantCheck, type MutantResult } from "./check.js";
import { columns, line, survivor } from "./table.js";

const usage = `npm run sim:mutants -- [--only NAME]... [--seeds N] [--json] [--list]
  --only NAME  this mutant, and others named so   --seeds N  give up after so many (300)
  --list       what each of them breaks           --json     one JSON object on stdout`;

/** Checks that the simulator catches every mutant; returns the exit code: 1 when one survives. */
export async function main(
	root: string,
	args: readonly string[],
): Promise<number> {
	const order = parse(args);
	if (order === null) return 2;
	if (order.list) {
		for (const { name, pitfall, breaks } of order.mutants)
			console.log(`${name}: ${breaks} (${pitfall})`);
		return 0;
	}
	const unfit = await misfits(
		root,
		order.mutants.flatMap(({ core }) => core ?? []),
	);
	for (const reason of unfit) console.error(reason);
	if (unfit.length > 0) return 1;
	const check = new MutantCheck(root);
	try {
		return await run(check, order);
	} finally {
		await check.end();
	}
}

async function run(check: MutantCheck, order: Order): Promise<number> {
	const { mutants, seeds, json } = order;
	const results: MutantResult[] = [];
	if (!json) console.log(columns);
	for (const mutant of mutants) {
		const result = await check.run(mutant, seeds);
		results.push(result);
		if (!json) console.log(line(result));
		if (!result.caught) console.error(survivor(mutant, seeds));
	}
	// A seed that breaks a rule without any bug would have caught nothing.
	const last = Math.max(0, ...results.map(({ seed }) => seed ?? 0));
	const baseline = await check.baseline(last);
	const isSound = baseline.seed === null && baseline.message === null;
	if (!isSound)
		console.error(
			baseline.seed === null
				? `without any mutant, ${baseline.message}`
				: `seed ${baseline.seed} breaks ${baseline.rule} without any mutant: ${baseline.message}`,
		);
	const total = results.length;
	const caught = results.filter((result) => result.caught).length;
	if (json) {
		const told = results.map(({ message: _, ...result }) => result);
		console.log(JSON.stringify({ total, caught, mutants: told }));
	} else console.log(`${caught} of ${total} mutants caught`);
	return caught === total && isSound ? 0 : 1;
}

interface Order {
	readonly mutants: readonly AnyMutant[];
	readonly seeds: number;
	readonly json: boolean;
	readonly list: boolean;
}

/** Null when the arguments make no sense; the reason is told. */
function parse(args: readonly string[]): Order | null {
	try {
		const { values } = parseArgs({
			args: [...args],
			options: {
				only: { type: "string", multiple: true, default: [] },
				seeds: { type: "string", default: "300" },
				json: { type: "boolean", default: false },
				list: { type: "boolean", default: false },
			},
		});
		const seeds = Number(values.seeds);
		if (!Number.isSafeInteger(seeds) || seeds < 1)
			throw new Error(`--seeds ${values.seeds} is no number of seeds`);
		const { only, json, list } = values;
		const mutants =
			only.length === 0
				? allMutants
				: only.map((name) => {
						const found = allMutants.find((mutant) => mutant.name === name);
						if (found === undefined)
							throw new Error(`no mutant is called ${name}`);
						return found;
					});
		return { mutants, seeds, json, list };
	} catch (error) {
		console.error((error as Error).message);
		console.error(usage);
		return null;
	}
}
