import { readFile } from "node:fs/promises";
import { OperatorError, reasonOf } from "../../errors.js";
import type { S3Credentials } from "./s3-bucket.js";

/** `s3` of the node's configuration. */
export interface S3Access {
	readonly accessKeyId: string;
	/** Absolute. Read for each upload, so that a key can be changed without a restart. */
	readonly secretAccessKeyFile: string;
}

/** A larger file is something else. */
const maxSecretLength = 4096;

/** From the node's configuration, or else from its environment. Rejects with a sentence. */
export async function s3Credentials(
	access: S3Access | undefined,
	environment: Readonly<Record<string, string | undefined>>,
	node: string,
): Promise<S3Credentials> {
	if (access !== undefined) {
		const { accessKeyId, secretAccessKeyFile } = access;
		const secretAccessKey = await secretIn(secretAccessKeyFile, node);
		return { accessKeyId, secretAccessKey };
	}
	const accessKeyId = environment.AWS_ACCESS_KEY_ID ?? "";
	const secretAccessKey = environment.AWS_SECRET_ACCESS_KEY ?? "";
	const sessionToken = environment.AWS_SESSION_TOKEN ?? "";
	if (accessKeyId === "" || secretAccessKey === "")
		throw new OperatorError(
			"config",
			`${node} has no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in raftd's environment, or s3 in its node.yaml, on every node`,
		);
	return {
		...{ accessKeyId, secretAccessKey },
		...(sessionToken === "" ? {} : { sessionToken }),
	};
}

async function secretIn(path: string, node: string): Promise<string> {
	let text: string;
	try {
		text = (await readFile(path, "utf8")).trim();
	} catch (cause) {
		throw new OperatorError(
			"config",
			`the S3 secret of ${node} cannot be read: ${reasonOf(cause)}`,
			{ cause },
		);
	}
	if (text !== "" && text.length <= maxSecretLength && !/\s/.test(text))
		return text;
	throw new OperatorError(
		"config",
		`${path} on ${node} holds no S3 secret: it must have the key and nothing else`,
	);
}
