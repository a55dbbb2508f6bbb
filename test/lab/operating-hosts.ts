import { userInfo } from "node:os";
import type { Inventory } from "../../src/config/inventory.js";
import type { OperationContext } from "../../src/operations/context.js";
import type { OperationEvent } from "../../src/operations/events.js";
import { withContext } from "../../src/operations/open-context.js";
import { root } from "../docs-pages.js";

/** Runs an operation on the machines of the lab as raftctl does, with nothing of whoever runs the tests. */
export function operatingHosts<Result>(
	inventory: Inventory,
	operation: (context: OperationContext) => Promise<Result>,
	more: {
		readonly signal?: AbortSignal;
		readonly emit?: (event: OperationEvent) => void;
	} = {},
): Promise<Result> {
	return withContext(
		{
			inventory,
			programs: {
				node: process.execPath,
				raftd: `${root}/dist/src/daemon/main.js`,
				balancer: `${root}/dist/src/balancers/embedded/main.js`,
			},
			emit: more.emit ?? (() => undefined),
			signal: more.signal ?? new AbortController().signal,
			holder: { holder: "test@here:1", host: "here" },
			release: "0.1.0",
			ssh: {
				...{ home: "/nonexistent", user: userInfo().username },
				agentSocket: null,
				askPassphrase: async () => null,
			},
		},
		operation,
	);
}
