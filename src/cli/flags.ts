import { Flags } from "@oclif/core";
import { OperatorError } from "../errors.js";
import type { CanaryUse } from "../operations/canary/wish.js";
import { outputs } from "./output.js";

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** "500ms", "1.5s", "15m", "1h30m" in milliseconds; null when it is not a duration. A number needs its unit. */
export function parseDuration(text: string): number | null {
	const part = /(\d+(?:\.\d+)?)(ms|s|m|h)/y;
	let totalMs = 0;
	while (part.lastIndex < text.length) {
		const match = part.exec(text);
		if (match === null) return null;
		totalMs += Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs];
	}
	return text === "" ? null : Math.round(totalMs);
}

/** A flag whose value is a duration, in milliseconds: `--lock-wait 15m`. */
export const durationFlag = Flags.custom<number>({
	helpValue: "<duration>",
	parse: (text) => {
		const durationMs = parseDuration(text);
		if (durationMs !== null) return Promise.resolve(durationMs);
		throw new OperatorError("usage", `"${text}" is not a duration`, {
			state: "nothing was touched",
			next: "write a number with its unit: 500ms, 30s, 15m, 1h",
		});
	},
});

/** How long each node and the balancer may take to answer what only looks. */
export function answerTimeoutFlag(defaultMs: number) {
	return durationFlag({
		default: defaultMs,
		summary: `How long a node may take to answer, ${defaultMs / 1000}s by default.`,
	});
}

/** A raft index, or another count. */
export const indexFlag = Flags.custom<number>({
	helpValue: "<index>",
	parse: (text) => {
		const index = Number(text);
		if (/^\d+$/.test(text) && Number.isSafeInteger(index))
			return Promise.resolve(index);
		throw new OperatorError("usage", `"${text}" is not a raft index`, {
			state: "nothing was touched",
			next: "give a whole number, as the answers carry it",
		});
	},
});

/** What every command takes. */
export const clusterFlags = {
	config: Flags.string({
		char: "c",
		env: "RAFTCTL_CONFIG",
		default: "cluster.yaml",
		helpValue: "<file>",
		summary: 'The cluster file; "-" reads it from stdin.',
		helpGroup: "GLOBAL",
	}),
	output: Flags.option({
		char: "o",
		options: outputs,
		default: "table" as const,
		summary: "How to print the result.",
		helpGroup: "GLOBAL",
	})(),
	json: Flags.boolean({
		summary: "The same as --output json.",
		helpGroup: "GLOBAL",
	}),
	yes: Flags.boolean({
		char: "y",
		summary: "Answer questions with yes. Skips no check.",
		helpGroup: "GLOBAL",
	}),
	verbose: Flags.boolean({
		summary: "Tell the causes of an error.",
		helpGroup: "GLOBAL",
	}),
};

/** `--node n1 --node n2`; an empty list means every node. */
export const nodeFlag = Flags.string({
	char: "n",
	multiple: true,
	// Greedy, `--node n1 n2` would take for nodes what was meant as an argument.
	multipleNonGreedy: true,
	default: [] as string[],
	helpValue: "<node>",
	summary: "Only this node; may be given several times.",
});

/** What every command takes that can show its plan. */
export const planFlags = {
	"dry-run": Flags.boolean({
		summary: "Show the plan and what each step will cost; touch nothing.",
	}),
	"detailed-exitcode": Flags.boolean({
		dependsOn: ["dry-run"],
		summary: "With --dry-run: exit with 3 when there is something to do.",
	}),
};

/** The nodes of a positional argument and of --node, each once. Throws OperatorError "usage" when there is none. */
export function namedNodes(
	argument: string | undefined,
	flags: readonly string[],
): readonly string[] {
	const nodes = new Set([
		...(argument === undefined ? [] : [argument]),
		...flags,
	]);
	if (nodes.size > 0) return [...nodes];
	throw new OperatorError("usage", "it is not said which node", {
		state: "nothing was touched",
		next: "name it: n1, or --node n1",
	});
}

/** How long to wait for another operation to end; 0 fails at once. */
export const lockWaitFlag = durationFlag({
	default: 0,
	summary: "How long to wait for another operation's lock.",
});

/** Names single checks to leave out, each recorded: `--skip=quorum`. `checks` are the names that exist. */
export function skipFlag<const Check extends string>(checks: readonly Check[]) {
	return Flags.option({
		options: checks,
		multiple: true,
		multipleNonGreedy: true,
		default: [] as Check[],
		summary: "Leave out this check, by its name. Recorded with the operation.",
	})();
}

/** What every operation takes that can be watched by a canary. */
export const canaryFlags = {
	canary: Flags.boolean({
		summary:
			"Meanwhile write and read a key of its own as applications do, and count what fails.",
		helpGroup: "CANARY",
	}),
	"max-failed": Flags.integer({
		min: 0,
		helpValue: "<count>",
		summary:
			"Stop before the next node when more of the canary's requests have failed.",
		helpGroup: "CANARY",
	}),
	"max-stall": durationFlag({
		summary: "Stop before the next node when no write went through for longer.",
		helpGroup: "CANARY",
	}),
	"max-leaderless": durationFlag({
		summary:
			"Stop before the next node when a node was without a leader for longer.",
		helpGroup: "CANARY",
	}),
};

/** `--report report.md`: Markdown or, for .xml, JUnit; written by OperatorCommand, however the operation ends. */
export const reportFlag = Flags.string({
	helpValue: "<file>",
	summary:
		"Write what was done and what it did cost: Markdown (.md) or JUnit XML (.xml).",
});

/** What the canary's flags ask for; any budget asks for a canary. */
export function canaryUse(flags: {
	readonly canary: boolean;
	readonly "max-failed": number | undefined;
	readonly "max-stall": number | undefined;
	readonly "max-leaderless": number | undefined;
}): CanaryUse {
	const budgets = {
		maxFailed: flags["max-failed"] ?? null,
		maxStallMs: flags["max-stall"] ?? null,
		maxLeaderlessMs: flags["max-leaderless"] ?? null,
	};
	const isLimited = Object.values(budgets).some((limit) => limit !== null);
	return flags.canary || isLimited ? { wish: { budgets } } : {};
}
