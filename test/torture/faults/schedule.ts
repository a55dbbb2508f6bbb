import { Random } from "../../sim/random.js";
import type { Battlefield, Fault, FaultName } from "./battlefield.js";
import { clock } from "./clocks.js";
import { asymmetric, partition, reset, slow } from "./links.js";
import { membership, snapshot, wipe } from "./members.js";
import { kill, stop, transfer } from "./processes.js";

/** Faults that happen one after the other; several such lines run at the same time. */
interface Line {
	readonly faults: readonly Fault[];
	/** Between the end of one and the next. */
	readonly calmMs: readonly [number, number];
}

const lines: readonly Line[] = [
	{ faults: [kill, stop, transfer], calmMs: [200, 3000] },
	{ faults: [partition, asymmetric, slow, reset], calmMs: [300, 3000] },
	{ faults: [membership, wipe], calmMs: [200, 2000] },
	{ faults: [snapshot], calmMs: [1000, 5000] },
	{ faults: [clock], calmMs: [500, 5000] },
];

/** Without these a run shows nothing: they are in every schedule, and come first. */
const always: readonly FaultName[] = ["kill", "membership", "snapshot"];

export type FaultCounts = Record<FaultName, number>;

/** Which faults a seed has, line by line: each of them in about three of four seeds, or always. */
export function scheduled(seed: number): readonly Line[] {
	const random = new Random(seed, 1);
	return lines.map(({ faults, calmMs }) => ({
		faults: faults.filter(
			({ name }) => random.chance(0.75) || always.includes(name),
		),
		calmMs,
	}));
}

/** Lets one fault of `line` follow another until the run is over; counts those that came about. */
export async function rage(
	{ faults, calmMs }: Line,
	field: Battlefield,
	tell: (name: FaultName) => void,
): Promise<void> {
	const first = faults.filter(({ name }) => always.includes(name));
	while (faults.length > 0 && !field.over.aborted) {
		const fault = first.shift() ?? field.random.pick(faults);
		if (await fault.strike(field)) tell(fault.name);
		else if (always.includes(fault.name)) first.push(fault);
		await field.pause(...calmMs);
	}
}
