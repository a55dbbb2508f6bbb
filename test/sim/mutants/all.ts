import { type BrokenRule, brokenRules } from "../broken.js";
import { type Mutant, mutants } from "../mutants.js";
import { clients } from "./clients.js";
import { elections } from "./elections.js";
import { memberships } from "./memberships.js";
import type { CoreMutant } from "./patch.js";
import { reads } from "./reads.js";
import { replication } from "./replication.js";
import { snapshots } from "./snapshots.js";

/** Bugs in the sources of the core and of the sessions. */
export const coreMutants: readonly CoreMutant[] = [
	...elections,
	...replication,
	...memberships,
	...reads,
	...snapshots,
	...clients,
];

/** A deliberate bug, wherever it lies: in the core, in its driver, or in what the core is promised. */
export interface AnyMutant {
	readonly name: string;
	readonly pitfall: string;
	readonly breaks: string;
	/** The sources that are changed; null: the run itself is told to break a rule. */
	readonly core: CoreMutant | null;
	readonly mutant?: Mutant;
	readonly broken?: BrokenRule;
}

export const allMutants: readonly AnyMutant[] = [
	...coreMutants.map((core) => ({
		...{ name: core.name, pitfall: core.pitfall, breaks: core.breaks },
		core,
	})),
	...named(mutants).map(([mutant, told]) => ({
		...{ name: `driver:${mutant}`, ...split(told) },
		...{ core: null, mutant },
	})),
	...named(brokenRules).map(([broken, told]) => ({
		...{ name: `promise:${broken}`, ...split(told) },
		...{ core: null, broken },
	})),
];

function named<Name extends string>(
	list: Readonly<Record<Name, string>>,
): [Name, string][] {
	return Object.entries(list) as [Name, string][];
}

/** "what is broken (P1, P2)". */
function split(told: string): { breaks: string; pitfall: string } {
	const parts = /^(.*) \((P\d+(?:, P\d+)*)\)$/.exec(told);
	if (parts === null) throw new Error(`no pitfall is named: ${told}`);
	const [, breaks, pitfall] = parts as unknown as [string, string, string];
	return { breaks, pitfall };
}
