import type { Command } from "@oclif/core";
import { Flags } from "@oclif/core";
import type { MembersChanged } from "../operations/membership/change-members.js";
import type { OperationOptions } from "../operations/operation.js";
import type { PlanReport } from "../operations/plan.js";
import {
	canaryFlags,
	canaryUse,
	durationFlag,
	lockWaitFlag,
	planFlags,
	reportFlag,
} from "./flags.js";
import { OperatorCommand } from "./operator-command.js";

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

type ChangeFlags = Parameters<typeof canaryUse>[0] & {
	readonly "dry-run": boolean;
	readonly "detailed-exitcode": boolean;
	readonly "lock-wait": number;
};

type Change = (
	options: OperationOptions & { readonly dryRun: boolean },
) => Promise<MembersChanged | PlanReport>;

/** A command that changes who takes part. */
export abstract class MembershipCommand<
	T extends typeof Command,
> extends OperatorCommand<T> {
	/** Asks the question, does it, and prints what became of the members; or prints the plan. */
	protected async change(
		flags: ChangeFlags,
		question: string,
		run: Change,
	): Promise<void> {
		const { "dry-run": dryRun } = flags;
		if (!dryRun) this.requireAnswer(question);
		const report = await run({
			dryRun,
			lockWaitMs: flags["lock-wait"],
			confirm: () => this.confirm(question),
			canary: canaryUse(flags),
		});
		if (!("changes" in report)) return this.printPlan(report, flags);
		const { membershipText } = await import("./membership-text.js");
		await this.print(report, () => membershipText(report));
	}
}
