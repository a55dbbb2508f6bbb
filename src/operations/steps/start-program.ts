import type { OperationContext } from "../context.js";
import type { Program } from "../program.js";
import { warnOfOldConfiguration } from "../up-warnings.js";
import type { Step } from "./step.js";

/** Two steps for one program that is to run: what it reads is written, then it is started. */
export function startProgram(how: How, program: Program): readonly Step[] {
	return [configureStep(how, program), startStep(how, program)];
}

interface How {
	readonly context: OperationContext;
	/** Told the name of what was started. */
	readonly told: (name: string) => void;
}

function configureStep({ context }: How, program: Program): Step {
	const { name, node, service, configuration } = program;
	const look = async () => ({ isRunning: (await service.state()).running });
	return {
		id: `${name}/configure`,
		title: "write what it reads at its start",
		...{ node, cost: "" },
		isDone: async () =>
			(await configuration.isWritten(await look())) ? "it is written" : null,
		async run() {
			const now = await look();
			const isAnother = await configuration.write(now);
			if (isAnother && now.isRunning) warnOfOldConfiguration(context, program);
			return null;
		},
	};
}

function startStep({ told }: How, { name, node, service }: Program): Step {
	return {
		id: `${name}/start`,
		title: node === null ? `start the ${name}` : "start",
		node,
		cost: "",
		async isDone() {
			const state = await service.state();
			return state.running ? `runs as process ${state.pid}` : null;
		},
		async run(signal) {
			await service.start(signal);
			told(name);
			return null;
		},
	};
}
