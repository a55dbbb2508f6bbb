import { readFile } from "node:fs/promises";
import { z } from "zod";
import { OperatorError, reasonOf } from "../../errors.js";
import type { EmbeddedConfig } from "./config.js";

const address = z
	.string()
	.regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, "is not host:port");
const milliseconds = z.int().min(1).max(86_400_000);
const count = z.int().min(1).max(1_000_000);

const schema = z.strictObject({
	version: z.literal(1),
	cluster: z.strictObject({ id: z.string().min(1), name: z.string() }),
	listen: address,
	admin: address,
	backends: z
		.array(
			z.strictObject({
				node: z.string().min(1),
				client: address,
				admin: address,
			}),
		)
		.min(1)
		.refine(
			(backends) =>
				new Set(backends.map(({ node }) => node)).size === backends.length,
			"name a node twice",
		),
	tls: z.strictObject({ ca: z.string().startsWith("/") }).exactOptional(),
	checkIntervalMs: milliseconds,
	checkTimeoutMs: milliseconds,
	connectTimeoutMs: milliseconds,
	holdMs: milliseconds,
	maxHeld: count,
	maxConnections: count,
	halfOpenTimeoutMs: milliseconds,
	closeTimeoutMs: milliseconds,
});

/** Reads and checks the file that `embeddedConfig` was written to. Throws OperatorError "config". */
export async function readEmbeddedConfig(
	path: string,
): Promise<EmbeddedConfig> {
	let json: unknown;
	try {
		json = JSON.parse(await readFile(path, "utf8"));
	} catch (cause) {
		throw refusal(path, [reasonOf(cause)], cause);
	}
	const parsed = schema.safeParse(json);
	if (parsed.success) return parsed.data;
	throw refusal(
		path,
		parsed.error.issues.map(
			(issue) => `${issue.path.join(".") || "the file"}: ${issue.message}`,
		),
		parsed.error,
	);
}

function refusal(
	path: string,
	problems: readonly string[],
	cause: unknown,
): OperatorError {
	return new OperatorError(
		"config",
		`${path} is not a configuration of the embedded balancer`,
		{
			problems,
			state: "The balancer did not start.",
			next: "raftctl up writes it anew",
			cause,
		},
	);
}
