import { Flags } from "@oclif/core";
import { OperatorError } from "../../errors.js";
import type { Course } from "../../operations/bench/bench.js";
import { durationFlag } from "../flags.js";

const defaultClients = 64;
const defaultDurationMs = 10_000;
const defaultStepMs = 5_000;
const defaultSteps = 10;

const shareFlag = Flags.custom<number>({
	helpValue: "<share>",
	parse: (text) => {
		const share = Number(text);
		if (text.trim() !== "" && share >= 0 && share <= 1)
			return Promise.resolve(share);
		throw new OperatorError("usage", `"${text}" is no share`, {
			state: "nothing was touched",
			next: "give a number from 0 (only writes) to 1 (only reads)",
		});
	},
});

/** What `raftctl bench` takes. */
export const benchFlags = {
	clients: Flags.integer({
		min: 1,
		max: 100_000,
		helpValue: "<count>",
		summary:
			"Closed loop: so many clients, each sends when it was answered; 64 by default.",
	}),
	rate: Flags.integer({
		min: 1,
		max: 10_000_000,
		helpValue: "<per second>",
		summary:
			"Open loop: so many requests a second, whatever becomes of them; latency counts from when each was due.",
		exclusive: ["clients", "sweep"],
	}),
	sweep: Flags.boolean({
		summary:
			"Find the peak with a closed loop, then measure rates up to it, and plot latency against rate.",
	}),
	steps: Flags.integer({
		min: 2,
		max: 50,
		helpValue: "<count>",
		dependsOn: ["sweep"],
		summary: "With --sweep: how many rates, 10 by default.",
	}),
	duration: durationFlag({
		summary:
			"How long to measure: 10s by default; each step of a sweep 5s by default.",
	}),
	"warm-up": durationFlag({
		default: 2_000,
		summary: "Load before that, which does not count: 2s by default.",
	}),
	bytes: Flags.integer({
		min: 1,
		max: 1_000_000,
		default: 256,
		summary: "The size of each value.",
	}),
	keys: Flags.integer({
		min: 1,
		max: 10_000_000,
		default: 10_000,
		summary: "On how many different keys.",
	}),
	reads: shareFlag({
		default: 0,
		summary: "The share of reads, from 0 to 1; the rest are writes.",
	}),
	consistency: Flags.option({
		options: ["linearizable", "lease", "stale"] as const,
		default: "linearizable" as const,
		summary: "What reads ask of the cluster.",
	})(),
	endpoint: Flags.string({
		multiple: true,
		multipleNonGreedy: true,
		default: [] as string[],
		helpValue: "<host:port>",
		summary:
			"Load this client port, or balancer, instead of the cluster file's nodes; may be given several times.",
	}),
	spread: Flags.boolean({
		summary: "Spread over all endpoints instead of going to the leader.",
	}),
	connections: Flags.integer({
		min: 1,
		max: 1_000,
		default: 8,
		summary: "How many connections carry the load.",
	}),
	threads: Flags.integer({
		min: 1,
		max: 64,
		default: 1,
		summary: "From how many threads the load comes.",
	}),
	timeout: durationFlag({
		default: 5_000,
		summary: "A request that takes longer has failed: 5s by default.",
	}),
	etcd: Flags.string({
		multiple: true,
		multipleNonGreedy: true,
		default: [] as string[],
		helpValue: "<host:port>",
		summary:
			"Load this etcd too, over gRPC without TLS, to compare; may be given several times.",
	}),
	report: Flags.string({
		helpValue: "<file>",
		summary:
			"Write charts of it: a page (.html) or an image (.svg) with nothing from elsewhere.",
	}),
	clean: Flags.boolean({
		summary: "Only remove what a bench that was killed has left.",
	}),
};

interface CourseFlags {
	readonly clients: number | undefined;
	readonly rate: number | undefined;
	readonly sweep: boolean;
	readonly steps: number | undefined;
	readonly duration: number | undefined;
}

/** What the flags ask for. */
export function courseOf(flags: CourseFlags): {
	readonly course: Course;
	readonly durationMs: number;
} {
	const { rate, sweep, steps = defaultSteps } = flags;
	const { clients = defaultClients } = flags;
	const durationMs =
		flags.duration ?? (sweep ? defaultStepMs : defaultDurationMs);
	if (durationMs <= 0)
		throw new OperatorError("usage", "--duration is nothing", {
			state: "nothing was touched",
			next: "give it a length: 10s",
		});
	if (sweep) return { course: { mode: "sweep", clients, steps }, durationMs };
	return rate === undefined
		? { course: { mode: "closed", clients }, durationMs }
		: { course: { mode: "open", perSecond: rate }, durationMs };
}
