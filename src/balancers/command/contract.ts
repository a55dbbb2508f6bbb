import { z } from "zod";
import type { NodeEntry } from "../../config/inventory.js";
import type { BackendStatus } from "../balancer.js";

/** The words between raftctl and the team's script; docs/balancer.md has them for people. */

/** Its last argument. */
export type Word =
	| "backends"
	| "withdraw"
	| "admit"
	| "prefer"
	| "configure"
	| "reload";

/** On its standard input, one line of JSON. */
export interface Request {
	readonly version: 1;
	readonly cluster: string;
	readonly clusterId: string;
	/** All of the cluster file, in its order. */
	readonly nodes: readonly Pick<NodeEntry, "id" | "client" | "admin">[];
	/** withdraw, admit. */
	readonly node?: string;
	/** prefer; empty ends it. */
	readonly preferred?: readonly string[];
	/** withdraw, prefer: after it, it must be as if nothing had been said. */
	readonly leaseMs?: number;
}

/** "I do not do that": of `prefer`, `configure` and `reload`, which can be done without. */
export const notDone = 3;

const answer = z.object({
	backends: z
		.array(
			z.object({
				node: z.string().min(1).max(63),
				state: z.enum(["up", "drain", "down"]),
				connections: z.int().min(0).default(0),
				reason: z.string().max(1_000).default(""),
			}),
		)
		.max(1_000),
});

/** What `backends` printed; a string says what is wrong with it. */
export function backendsOf(stdout: string): readonly BackendStatus[] | string {
	let value: unknown;
	try {
		value = JSON.parse(stdout);
	} catch {
		return "it is not JSON";
	}
	const parsed = answer.safeParse(value);
	if (!parsed.success) {
		const [issue] = parsed.error.issues;
		const place = issue?.path.join(".");
		return place ? `${place}: ${issue?.message}` : `${issue?.message}`;
	}
	return parsed.data.backends.map((backend) => ({
		...backend,
		admitting: backend.state === "up",
	}));
}
