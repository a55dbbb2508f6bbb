import { isAbsolute } from "node:path";
import { z } from "zod";
import { readDocument } from "../documents/read-document.js";
import { readText } from "../documents/read-file.js";

/**
 * Reads the configuration of one node. Throws OperatorError "config" that names every mistake with
 * file:line:column.
 */
export async function readNodeConfig(path: string): Promise<NodeConfig> {
	const text = await readText(
		path,
		"give the node's configuration: raftd --config node.yaml",
	);
	return readDocument(text, path, nodeConfigSchema).value;
}

const address = z
	.string()
	.regex(/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/, "must be host:port")
	.refine(
		(text) => portOf(text) <= 65_535,
		"must have a port of at most 65535",
	);

const name = z
	.string()
	.regex(
		/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
		"must be 1 to 63 letters, digits, dots, dashes or underscores, and begin with a letter or digit",
	);

/** As raftctl takes it: a build may be counted behind a plus. */
const version = z
	.string()
	.regex(
		/^[0-9A-Za-z][0-9A-Za-z._+-]{0,62}$/,
		"must be 1 to 63 letters, digits, dots, dashes, pluses or underscores, and begin with a letter or digit",
	);

const absolutePath = z
	.string()
	.refine((path) => isAbsolute(path), "must be an absolute path");

const milliseconds = (min: number, max: number) =>
	z.number().int().min(min).max(max);

const timingSchema = z
	.strictObject({
		electionTimeoutMs: milliseconds(50, 60_000).default(1000),
		heartbeatIntervalMs: milliseconds(5, 10_000).default(100),
		transferTimeoutMs: milliseconds(50, 60_000).default(1000),
		diskStallMs: milliseconds(50, 600_000).default(2000),
	})
	.refine(
		(timing) => timing.electionTimeoutMs >= 3 * timing.heartbeatIntervalMs,
		{
			path: ["electionTimeoutMs"],
			message:
				"must be at least three heartbeat intervals, or one lost heartbeat would start an election",
		},
	);

const drainSchema = z.strictObject({
	/** On SIGTERM: how long balancers have to notice before connections are moved. */
	announceMs: milliseconds(0, 600_000).default(1000),
	closeOverMs: milliseconds(0, 600_000).default(3000),
	/** The limit of the whole stop. */
	timeoutMs: milliseconds(100, 3_600_000).default(15_000),
});

const s3Schema = z
	.strictObject({
		accessKeyId: z.string().min(1).max(256).optional(),
		/** The secret itself is in no file that is shown or copied about. */
		secretAccessKeyFile: absolutePath.optional(),
		/** PEM; of whoever signed the endpoint's certificate, where the public ones have not. */
		caFile: absolutePath.optional(),
	})
	.refine(
		({ accessKeyId, secretAccessKeyFile }) =>
			(accessKeyId === undefined) === (secretAccessKeyFile === undefined),
		"must have accessKeyId and secretAccessKeyFile together, or neither",
	);

const clientTlsSchema = z
	.strictObject({
		/** Of the certificates that applications show. */
		ca: absolutePath.optional(),
		/** What they are shown, if it is another than peers are. */
		cert: absolutePath.optional(),
		key: absolutePath.optional(),
		clientCertificates: z.enum(["none", "required"]).default("none"),
	})
	.refine(
		({ cert, key }) => (cert === undefined) === (key === undefined),
		"must have both cert and key, or neither",
	);

const tlsSchema = z
	.strictObject({
		ca: absolutePath,
		cert: absolutePath,
		key: absolutePath,
		client: clientTlsSchema.prefault({}),
	})
	.transform(({ client, ...own }) => ({
		...own,
		client: {
			ca: client.ca ?? own.ca,
			cert: client.cert ?? own.cert,
			key: client.key ?? own.key,
			clientCertificates: client.clientCertificates,
		},
	}));

const memberSchema = z.strictObject({
	id: name,
	role: z.enum(["voter", "learner"]).default("voter"),
	peer: address,
	client: address,
	admin: address,
});

const nodeConfigSchema = z
	.strictObject({
		cluster: z.strictObject({ id: z.string().min(1).max(128), name }),
		node: name,
		data: absolutePath,
		listen: z.strictObject({
			peer: address,
			client: address,
			admin: address,
			agent: address.optional(),
		}),
		members: z.array(memberSchema).min(1).max(64),
		/** The members are those of a cluster that exists; this node waits until it is added. */
		join: z.boolean().default(false),
		timing: timingSchema.prefault({}),
		drain: drainSchema.prefault({}),
		app: absolutePath.optional(),
		/** Of daemon and application together, as the team counts; by default the daemon's own version. */
		release: version.optional(),
		log: z
			.strictObject({
				level: z.enum(["debug", "info", "warn", "error"]).default("info"),
			})
			.prefault({}),
		limits: z.record(z.string(), z.number().int().positive()).default({}),
		/** Without it everything is plain text: for one machine. */
		tls: tlsSchema.optional(),
		admin: z
			.strictObject({
				/** A file of roles and digests, read again when it changes. */
				tokens: absolutePath.optional(),
			})
			.prefault({}),
		/** For the copies of the snapshot schedule; without it the environment is asked. */
		s3: s3Schema.optional(),
	})
	.superRefine(checkMembers);

/** What `raftctl up` renders and raftd reads; docs/raftd.md is its reference. */
export type NodeConfig = z.infer<typeof nodeConfigSchema>;

function checkMembers(
	config: {
		node: string;
		members: readonly z.infer<typeof memberSchema>[];
	},
	context: z.RefinementCtx,
): void {
	const { members, node } = config;
	if (!members.some((member) => member.id === node)) {
		context.addIssue({
			code: "custom",
			path: ["node"],
			message: `is ${node}, which is not among the members`,
		});
	}
	if (!members.some((member) => member.role === "voter")) {
		context.addIssue({
			code: "custom",
			path: ["members"],
			message: "must have a voter, as learners alone elect nobody",
		});
	}
	for (const key of ["id", "peer", "client", "admin"] as const) {
		for (const [index, member] of members.entries()) {
			const first = members.findIndex((other) => other[key] === member[key]);
			if (first === index) continue;
			context.addIssue({
				code: "custom",
				path: ["members", index, key],
				message:
					key === "id"
						? `is ${member.id}, as that of an earlier member is`
						: `is ${member[key]}, as that of ${members[first]?.id} is`,
			});
		}
	}
}

function portOf(text: string): number {
	return Number(text.slice(text.lastIndexOf(":") + 1));
}
