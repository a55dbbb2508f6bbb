import { z } from "zod";
import type { S3Settings } from "./inventory.js";

const absolutePath = z
	.string()
	.max(1_024)
	.regex(/^\//, "must be an absolute path, as on every node's machine");

/** Where copies go is taken by the schedule; how nodes get in goes into each node.yaml. The secret is in neither. */
export const s3 = z
	.strictObject({
		endpoint: z
			.string()
			.max(256)
			.refine(isPlainUrl, {
				error:
					"must be http:// or https:// and a host, without user and password",
			})
			.optional()
			.describe("S3-compatible storage for the schedule's copies."),
		bucket: z
			.string()
			.min(1)
			.max(256)
			.optional()
			.describe("The bucket there; it must exist."),
		prefix: z
			.string()
			.max(256)
			.optional()
			.describe("What the names of objects begin with. None by default."),
		region: z
			.string()
			.min(1)
			.max(256)
			.default("us-east-1")
			.describe("The region to sign for."),
		accessKeyId: z
			.string()
			.min(1)
			.max(256)
			.optional()
			.describe("The key's id. By default raftd's environment is asked."),
		secretAccessKeyFile: absolutePath
			.optional()
			.describe(
				"The file on every node's machine that holds the key's secret and nothing else.",
			),
		caFile: absolutePath
			.optional()
			.describe(
				"The file on every node's machine with the authority that vouches for the endpoint, in PEM. By default the public ones do.",
			),
	})
	.refine(
		({ endpoint, bucket }) =>
			(endpoint === undefined) === (bucket === undefined),
		"must have endpoint and bucket together, or neither",
	)
	.refine(
		({ accessKeyId, secretAccessKeyFile }) =>
			(accessKeyId === undefined) === (secretAccessKeyFile === undefined),
		"must have accessKeyId and secretAccessKeyFile together, or neither",
	);

function isPlainUrl(text: string): boolean {
	try {
		const { protocol, username, password, search, hash } = new URL(text);
		return (
			["http:", "https:"].includes(protocol) &&
			[username, password, search, hash].every((part) => part === "")
		);
	} catch {
		return false;
	}
}

/** Null for none. */
export function resolveS3(
	written: z.output<typeof s3> | undefined,
): S3Settings | null {
	if (written === undefined) return null;
	const { endpoint, bucket, prefix = "", region, caFile } = written;
	const { accessKeyId, secretAccessKeyFile } = written;
	return {
		target:
			endpoint === undefined || bucket === undefined
				? null
				: { endpoint, bucket, prefix, region },
		access:
			accessKeyId === undefined || secretAccessKeyFile === undefined
				? null
				: { accessKeyId, secretAccessKeyFile },
		caFile: caFile ?? null,
	};
}
