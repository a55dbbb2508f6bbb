import { isAbsolute, resolve } from "node:path";
import type {
	CommandBalancerEntry,
	Inventory,
} from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import type { Balancer } from "../balancer.js";
import { backendsOf, notDone, type Request, type Word } from "./contract.js";

/** Any balancer, through a script of the team's own that raftctl runs on this machine. */
export function commandBalancer(
	entry: CommandBalancerEntry,
	{
		inventory,
		local,
	}: { readonly inventory: Inventory; readonly local: () => Promise<Host> },
): Balancer {
	let current = inventory;
	const run = async (word: Word, wish: Wish) => {
		const request = requestOf(current, wish);
		return runScript(await local(), entry, { word, request, ...wish });
	};
	return {
		kind: "command",
		reactionMs: entry.reactionMs,
		answerLimitMs: entry.timeoutMs + graceMs,
		async backends(signal) {
			const { stdout } = await run("backends", { signal });
			const backends = backendsOf(stdout);
			if (typeof backends === "string")
				throw failed(entry, {
					word: "backends",
					why: `its answer is no answer: ${backends}`,
				});
			return backends;
		},
		async prefer(preferred, leaseMs, signal) {
			await run("prefer", { preferred, leaseMs, signal, optional: true });
		},
		told: {
			async withdraw(node, leaseMs, signal) {
				await run("withdraw", { node, leaseMs, signal });
			},
			async admit(node, signal) {
				await run("admit", { node, signal });
			},
		},
		async configure(next, signal) {
			current = next;
			await run("configure", { signal, optional: true });
		},
		async reload(signal) {
			await run("reload", { signal, optional: true });
		},
		close: async () => undefined,
	};
}

interface Wish extends Pick<Request, "node" | "preferred" | "leaseMs"> {
	readonly signal: AbortSignal | undefined;
	/** It may be answered with "I do not do that". */
	readonly optional?: boolean;
}

function requestOf(
	{ name, id: clusterId, nodes }: Inventory,
	{ node, preferred, leaseMs }: Wish,
): Request {
	return {
		version: 1,
		...{ cluster: name, clusterId },
		nodes: nodes.map(({ id, client, admin }) => ({ id, client, admin })),
		...(node === undefined ? {} : { node }),
		...(preferred === undefined ? {} : { preferred }),
		...(leaseMs === undefined ? {} : { leaseMs }),
	};
}

interface Call {
	readonly word: Word;
	readonly request: Request;
	readonly signal: AbortSignal | undefined;
	readonly optional?: boolean;
}

async function runScript(
	host: Host,
	entry: CommandBalancerEntry,
	{ word, request, signal, optional = false }: Call,
): Promise<{ readonly stdout: string }> {
	const [program = "", ...args] = entry.argv;
	// By itself: it ends what the script has started, too, which would hold on to its output otherwise.
	const bounded = ["timeout", "-k", "1", `${entry.timeoutMs / 1_000}`];
	const { exitCode, stderr, stdout } = await host.run(
		[...bounded, pathOf(program, entry), ...args, word],
		{
			timeoutMs: entry.timeoutMs + graceMs,
			stdin: Buffer.from(`${JSON.stringify(request)}\n`),
			...(signal === undefined ? {} : { signal }),
		},
	);
	if (timedOut.includes(exitCode))
		throw failed(entry, {
			...{ word, kind: "timeout" },
			why: `it did not end within ${entry.timeoutMs} ms`,
		});
	if (exitCode === 0 || (optional && exitCode === notDone)) return { stdout };
	const said = stderr.trim().split("\n").at(-1) ?? "";
	const why = `exit code ${exitCode}${said === "" ? "" : `: ${said.slice(0, saidMax)}`}`;
	throw failed(entry, { word, why });
}

const saidMax = 500;
const graceMs = 5_000;
/** Ended by SIGTERM, or by SIGKILL when it did not heed that. */
const timedOut: readonly number[] = [124, 137];

/** A path is one of the cluster file's own directory; a bare name is looked up as a shell does. */
function pathOf(program: string, { directory }: CommandBalancerEntry): string {
	return !program.includes("/") || isAbsolute(program)
		? program
		: resolve(directory, program);
}

function failed(
	{ argv }: CommandBalancerEntry,
	{
		word,
		why,
		kind = "unreachable",
	}: {
		readonly word: Word;
		readonly why: string;
		readonly kind?: "unreachable" | "timeout";
	},
): OperatorError {
	return new OperatorError(
		kind,
		`the balancer's command "${argv.join(" ")} ${word}" failed: ${why}`,
		{
			state: "what it did before it failed is for it to say",
			next: "run it by hand with the same word (docs/balancer.md tells what it is given)",
		},
	);
}
