import type { Command } from "@oclif/core";
import { Flags } from "@oclif/core";
import type { changing } from "../operations/membership/change-members.js";
import type { MembershipOperation } from "../operations/membership/operation.js";
import {
	canaryFlags,
	canaryUse,
	durationFlag,
	lockWaitFlag,
	planFlags,
	reportFlag,
} from "./flags.js";
import { OperatorCommand, type PlanFlags } from "./operator-command.js";

/** What every command takes that changes the members; `skip` is each command's own. */
export const membershipFlags = {
	...planFlags,
	"lock-wait": lockWaitFlag,
	...canaryFlags,
	report: reportFlag,
};

/** How long a learner is waited for. */
export const catchUpFlag = durationFlag({
	default: 600_000,
	defaultHelp: async () => "10m",
	summary: "How long a learner may take to catch up.",
});

/** Of a node that the cluster file does not have yet. */
export const nodeFlags = {
	peer: Flags.string({
		helpValue: "<host:port>",
		summary: "Where the other nodes reach it; by default the next free ports.",
	}),
	client: Flags.string({
		helpValue: "<host:port>",
		summary: "Where applications reach it.",
	}),
	admin: Flags.string({
		helpValue: "<host:port>",
		summary: "Where raftctl reaches it.",
	}),
	data: Flags.string({
		helpValue: "<path>",
		summary: "Its data directory, absolute.",
	}),
	host: Flags.string({
		helpValue: "<host>",
		summary: "The machine it runs on.",
	}),
};

/** Those of `nodeFlags` that were given. */
export function givenNode(
	flags: {
		readonly [Key in keyof typeof nodeFlags]?: string | undefined;
	},
): Partial<Record<keyof typeof nodeFlags, string>> {
	const { peer, client, admin, data, host } = flags;
	return {
		...(peer === undefined ? {} : { peer }),
		...(client === undefined ? {} : { client }),
		...(admin === undefined ? {} : { admin }),
		...(data === undefined ? {} : { data }),
		...(host === undefined ? {} : { host }),
	};
}

type ChangeFlags = Parameters<typeof canaryUse>[0] &
	PlanFlags & { readonly "lock-wait": number };

type Changing = typeof changing & {
	readonly make: () => MembershipOperation;
};

/** A command that changes who takes part. */
export abstract class MembershipCommand<
	T extends typeof Command,
> extends OperatorCommand<T> {
	/** Asks the question, does it, and prints what became of the members; or prints the plan. */
	protected async change(
		flags: ChangeFlags,
		question: string,
		{ withContext, plan, run, make }: Changing,
	): Promise<void> {
		await this.planOrRun(flags, {
			...{ question, withContext },
			plan: (context) => plan(context, make),
			run: (context) =>
				run(context, make, {
					lockWaitMs: flags["lock-wait"],
					confirm: () => this.confirm(question),
					canary: canaryUse(flags),
				}),
			text: async (report) =>
				(await import("./membership-text.js")).membershipText(report),
		});
	}
}
