import type { OperationEvent } from "../../../src/operations/events.js";
import type { MembershipReport } from "../../../src/operations/membership/report.js";
import type {
	Operation,
	OperationReport,
} from "../../../src/operations/operation.js";
import { runOperation } from "../../../src/operations/run-operation.js";
import { mortal } from "../../fakes/mortal.js";
import { type Operating, operating } from "../operating.js";

export const three = { n1: "voter", n2: "voter", n3: "voter" } as const;
export const five = { ...three, n4: "voter", n5: "voter" } as const;

/** A cluster of these members whose file has the nodes of `file`, too; those run nowhere yet. */
export function changing(
	members: Readonly<Record<string, "voter" | "learner">> = three,
	file: readonly string[] = [],
): Operating {
	const world = operating(members);
	const { inventory } = world.context;
	const [pattern] = inventory.nodes;
	if (pattern === undefined) throw new Error("no nodes");
	world.cluster.hasDisks = true;
	const added = file.map((id) => ({
		...{ ...pattern, id, role: "voter" as const, peer: `${id}:1` },
		...{ client: `${id}:2`, admin: `${id}:3`, dataDirectory: `/data/${id}` },
	}));
	for (const id of file) world.cluster.addProgram(id);
	const nodes = [...inventory.nodes, ...added];
	const context = { ...world.context, inventory: { ...inventory, nodes } };
	// In place: what it is told of events goes by this object.
	return Object.assign(world, { context });
}

export type Done = OperationReport & MembershipReport;

export async function run(
	{ context }: Operating,
	make: () => Operation,
): Promise<Done> {
	const report: object = await runOperation(context, make, { lockWaitMs: 0 });
	return report as Done;
}

export function rolesOf({ cluster }: Operating): Record<string, string> {
	return Object.fromEntries(
		cluster.members().map(({ id, role }) => [id, role ?? "none"]),
	);
}

export function finished(events: readonly OperationEvent[]): string[] {
	return events.flatMap((event) =>
		event.type === "step-finished" ? [event.step] : [],
	);
}

export function boundaryOf(event: OperationEvent): string | null {
	return event.type === "step-started" || event.type === "step-finished"
		? `${event.type} ${event.step}`
		: null;
}

/** Runs it and kills the operator `afterMs` of virtual time after this boundary; returns when it is dead. */
export async function killAt(
	operating: Operating,
	make: () => Operation,
	{
		boundary,
		afterMs,
	}: { readonly boundary: string; readonly afterMs: number },
): Promise<void> {
	const operator = mortal(operating.context);
	await new Promise<void>((resolve) => {
		const kill = () => {
			operator.kill();
			resolve();
		};
		operating.onEvent = (event) => {
			if (boundaryOf(event) !== boundary) return;
			if (afterMs === 0) kill();
			else void operating.cluster.clock.sleep(afterMs).then(kill);
		};
		runOperation(operator.context, make, { lockWaitMs: 0 }).then(
			() => resolve(),
			() => resolve(),
		);
	});
	operating.onEvent = () => undefined;
}
