import { OperatorError } from "../errors.js";
import type { OperationRecord } from "./journal/record.js";
import type { Operation } from "./operation.js";

type Make = (wish: never) => () => Operation;

/** Every operation that the journal may hold, by its name: made again from its recorded arguments, in any process. */
export const catalogue: Readonly<Record<string, () => Promise<Make>>> = {
	"rolling-restart": async () => {
		const { rollOperation } = await import("./roll/operation.js");
		return (wish: Parameters<typeof rollOperation>[0]) => () =>
			rollOperation(wish);
	},
};

/** Makes the operation of a record. Throws OperatorError "refused" for one that this release does not know. */
export async function operationOf(
	record: OperationRecord,
): Promise<() => Operation> {
	const load = Object.hasOwn(catalogue, record.operation)
		? catalogue[record.operation]
		: undefined;
	if (load !== undefined) return (await load())(record.arguments as never);
	throw new OperatorError(
		"refused",
		`this raftctl knows no operation "${record.operation}"`,
		{
			state: "nothing was touched",
			next: "use the raftctl that began it, or a newer one",
		},
	);
}
