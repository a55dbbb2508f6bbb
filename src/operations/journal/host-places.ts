import { stateDirectoryOn } from "../../config/places.js";
import { OperatorError } from "../../errors.js";
import type { Host, RunResult } from "../../hosts/host.js";
import type { OperationContext } from "../context.js";
import { fileTimeoutMs } from "../host-files.js";
import { throwIfEnded } from "../interruption.js";

/** The directory in which raftctl keeps its own on one host. */
export interface Place {
	readonly host: Host;
	readonly stateDirectory: string;
}

/**
 * The hosts of the cluster file that answer, in an order that is the same for every operator: two that take them one by
 * one never wait for each other. Throws the last silence when none answers.
 */
export async function placesOf(
	context: OperationContext,
): Promise<readonly Place[]> {
	const { places, silence } = await reachablePlaces(context);
	if (places.length === 0) throw silence;
	return places;
}

/** The same, and none is no mistake. A dead one costs its timeout once, however many there are. */
export async function reachablePlaces(context: OperationContext): Promise<{
	readonly places: readonly Place[];
	/** Of the last one that does not answer. */
	readonly silence: OperatorError | null;
}> {
	const { inventory, machines, signal } = context;
	const names = [...new Set(inventory.nodes.map(({ host }) => host))].sort();
	const answers = await Promise.all(
		names.map(async (name): Promise<Place | OperatorError> => {
			try {
				const stateDirectory = stateDirectoryOn(inventory, name);
				return { host: await machines.host(name), stateDirectory };
			} catch (error) {
				throwIfEnded(signal);
				if (error instanceof OperatorError) return error;
				throw error;
			}
		}),
	);
	return {
		places: answers.flatMap((one) =>
			one instanceof OperatorError ? [] : [one],
		),
		silence:
			answers.filter((one) => one instanceof OperatorError).at(-1) ?? null,
	};
}

export function runThere(
	{ host }: Place,
	argv: readonly string[],
	stdin?: string,
): Promise<RunResult> {
	return host.run(argv, {
		timeoutMs: fileTimeoutMs,
		...(stdin === undefined ? {} : { stdin: Buffer.from(stdin) }),
	});
}

/** The JSON in a file; null when there is none, or another process is writing it. */
export async function jsonIn<Content>(
	{ host }: Place,
	path: string,
): Promise<Content | null> {
	const bytes = await host.read(path);
	if (bytes === null) return null;
	try {
		return JSON.parse(Buffer.from(bytes).toString("utf8")) as Content;
	} catch {
		return null;
	}
}
