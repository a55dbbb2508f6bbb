import type { OperationContext } from "../context.js";
import { type Program, programsOf } from "../program.js";
import type { Step } from "../steps/step.js";
import { isTimeout } from "../wait.js";
import {
	type Remains,
	removeDirectoriesOn,
	removeFilesOn,
	removeUnitsOn,
} from "./host.js";

/** Every program of the cluster file that can be reached; one that does not end in time is killed, for its data goes. */
export async function stopSteps(
	context: OperationContext,
): Promise<readonly Step[]> {
	return (await programsOf(context)).map((program) =>
		stopStep(context, program),
	);
}

function stopStep(
	{ inventory }: OperationContext,
	{ name, node, service }: Program,
): Step {
	return {
		id: `${name}/stop`,
		title: node === null ? `stop the ${name}` : "stop",
		...{ node, cost: node === null ? "" : "its connections end" },
		isDone: async () =>
			(await service.state()).running ? null : "not running",
		async run(signal) {
			try {
				await service.stop(inventory.roll.stopTimeoutMs, signal);
				return null;
			} catch (error) {
				if (!isTimeout(error)) throw error;
				await service.kill();
				return "killed";
			}
		},
	};
}

/** What is on one host, in the order in which a half of it does no harm: no unit, then no data, then no programs. */
export function hostSteps(
	context: OperationContext,
	host: string,
	{ units, state, programs, directories }: Remains,
): readonly Step[] {
	const step = (
		name: string,
		what: readonly string[],
		how: Pick<Step, "title" | "cost"> & { run(): Promise<void> },
	): Step => ({
		...{ id: `${host}/${name}`, node: null },
		...{ title: how.title, cost: how.cost },
		isDone: async () => (what.length === 0 ? "there is nothing" : null),
		async run() {
			await how.run();
			return null;
		},
	});
	return [
		step("units", units, {
			title: `remove ${units.join(", ")}`,
			cost: "",
			run: () => removeUnitsOn(context, host, units),
		}),
		step("data", state, {
			title: "remove what its nodes wrote",
			cost: `${state.join(", ")}: gone for good`,
			run: () => removeFilesOn(context, host, "daemon", state),
		}),
		step("programs", programs, {
			title: "remove the releases",
			cost: "",
			run: () => removeFilesOn(context, host, "login", programs),
		}),
		step("directories", directories, {
			title: `remove ${directories.join(", ")}`,
			cost: "",
			run: () => removeDirectoriesOn(context, host, directories),
		}),
	];
}
