import { OperatorError, reasonOf } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import type { Step } from "../steps/step.js";
import { installedRelease } from "./installed.js";
import { pruneReleases } from "./prune.js";
import { shipRelease } from "./ship.js";

interface ShipStep {
	readonly hosts: readonly string[];
	readonly version: string;
	/** Of this machine. */
	readonly archive: string;
}

/**
 * Brings a release to all hosts that do not have it, side by side, and then lets the oldest go there. One that fails does
 * not stop the others: the next attempt sends them nothing again.
 */
export function shipStep(context: OperationContext, wish: ShipStep): Step {
	const { hosts, version, archive } = wish;
	return {
		...{ id: "hosts/release", node: null, cost: "" },
		title: `bring the release ${version} to ${hosts.join(", ")}`,
		async isDone() {
			const there = await Promise.all(
				hosts.map((host) => installedRelease(context, host, version)),
			);
			return there.includes(null) ? null : "it is there";
		},
		async run(signal, progress) {
			const notes = new Map<string, string>();
			const told = (host: string) => (note: string) => {
				notes.set(host, note);
				progress([...notes].map((each) => each.join(": ")).join("; "));
			};
			const sent = await Promise.allSettled(
				hosts.map(async (host) => {
					const note = await shipRelease(context, {
						...{ host, version, archive, signal, progress: told(host) },
					});
					await pruneReleases(context, host);
					return `${host}: ${note}`;
				}),
			);
			throwIfEnded(signal);
			requireAll(wish, sent);
			return sent
				.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []))
				.join("; ");
		},
		// A release that nobody runs does no harm, and the next attempt finds it there.
		undo: async () => undefined,
	};
}

function requireAll(
	{ hosts, version }: ShipStep,
	sent: readonly PromiseSettledResult<string>[],
): void {
	const failures = sent.flatMap((one, at) =>
		one.status === "rejected"
			? [{ host: hosts[at] ?? "", error: one.reason as unknown }]
			: [],
	);
	const [first] = failures;
	if (first === undefined) return;
	if (failures.length === 1) throw first.error;
	throw new OperatorError(
		first.error instanceof OperatorError ? first.error.kind : "unexpected",
		`the release ${version} did not come to ${failures.length} hosts`,
		{
			problems: failures.map(
				({ host, error }) => `${host}: ${reasonOf(error)}`,
			),
			state: "no node was touched",
			remedy: "mend them",
			cause: first.error,
		},
	);
}
