import type { OperationContext } from "../../../src/operations/context.js";
import type { OperationEvent } from "../../../src/operations/events.js";
import { succeeded } from "../../fakes/fake-files.js";
import { mortal } from "../../fakes/mortal.js";
import type { DisasterGround } from "./disaster-ground.js";

function boundaryOf(event: OperationEvent): string | null {
	return event.type === "step-started" || event.type === "step-finished"
		? `${event.type} ${event.step}`
		: null;
}

type Work = (context: OperationContext) => Promise<unknown>;

/** The boundaries of every step, as a run without an accident has them. */
export async function boundariesOf(
	ground: DisasterGround,
	work: Work,
): Promise<readonly string[]> {
	await work(ground.context());
	return ground.events.flatMap((event) => boundaryOf(event) ?? []);
}

/** Lets `work` run up to there, as with SIGKILL. */
export async function killedAt(
	ground: DisasterGround,
	work: Work,
	boundary: string,
): Promise<void> {
	const operator = mortal(ground.context("bob"));
	const before = ground.clusterFile;
	await new Promise<void>((resolve, reject) => {
		ground.onEvent = (event) => {
			if (boundaryOf(event) !== boundary) return;
			operator.kill();
			resolve();
		};
		work(operator.context).then(
			() => reject(new Error(`it ended before ${boundary}`)),
			reject,
		);
	});
	ground.onEvent = () => undefined;
	if (boundary === fileBoundary) await fileOtherThan(ground, before);
}

/**
 * The cluster file is a real one: what a process had begun to write when it was killed gets there all the same, and it
 * cannot be held back here. Nobody takes over before that.
 */
const fileBoundary = "step-started cluster/file";

async function fileOtherThan(
	ground: DisasterGround,
	before: string,
): Promise<void> {
	for (let look = 0; ground.clusterFile === before; look++) {
		if (look > maxLooks) throw new Error("the cluster file was not written");
		await new Promise((resolve) => setTimeout(resolve, 10));
	}
}

const maxLooks = 3_000;

/**
 * Kills the operator while it removes a directory for the `nth` time, and `rm` with it: of what was in there the file
 * `first` is gone, and the rest is left. False when it removed no further one.
 */
export async function killedInRemoval(
	ground: DisasterGround,
	work: Work,
	{ nth, first }: { readonly nth: number; readonly first: string },
): Promise<boolean> {
	const operator = mortal(ground.context("bob"));
	const { program, files } = ground.files;
	let removals = 0;
	try {
		return await new Promise<boolean>((resolve, reject) => {
			ground.files.program = (argv) => {
				const [name, flag, path = ""] = argv;
				const isRemoval =
					name === "rm" && flag === "-rf" && ground.files.isThere(path);
				const isOfANode = files.has(`${path}/identity.json`);
				if (!isRemoval || !isOfANode || ++removals < nth) return program(argv);
				files.delete(`${path}/${first}`);
				operator.kill();
				resolve(true);
				return succeeded("");
			};
			work(operator.context).then(() => resolve(false), reject);
		});
	} finally {
		ground.files.program = program;
	}
}

/** Lets `work` run up to the `nth` start of a node, which does not come about any more. */
export async function killedAtStart(
	ground: DisasterGround,
	work: Work,
	nth: number,
): Promise<void> {
	const operator = mortal(ground.context("bob"));
	let starts = 0;
	try {
		await new Promise<void>((resolve, reject) => {
			ground.onStart = () => {
				if (++starts < nth) return;
				operator.kill();
				resolve();
				throw new Error("the operator is gone");
			};
			work(operator.context).then(
				() => reject(new Error(`it ended before start ${nth}`)),
				reject,
			);
		});
	} finally {
		ground.onStart = () => undefined;
	}
}
