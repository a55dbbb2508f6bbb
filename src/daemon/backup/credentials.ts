import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { OperatorError, reasonOf } from "../../errors.js";
import type { S3Credentials } from "./s3-bucket.js";

/** `s3` of the node's configuration. Files are absolute, and read for each upload: a new key needs no restart. */
export interface S3Access {
	readonly accessKeyId?: string | undefined;
	readonly secretAccessKeyFile?: string | undefined;
	readonly caFile?: string | undefined;
}

/** A larger file is something else. */
const maxSecretLength = 4096;
const maxCaLength = 1024 * 1024;

/** From the node's configuration, or else from its environment. Rejects with a sentence. */
export async function s3Credentials(
	access: S3Access | undefined,
	environment: Readonly<Record<string, string | undefined>>,
	node: string,
): Promise<S3Credentials> {
	const { accessKeyId, secretAccessKeyFile } = access ?? {};
	if (accessKeyId === undefined || secretAccessKeyFile === undefined)
		return fromEnvironment(environment, node);
	const secretAccessKey = await secretIn(secretAccessKeyFile, node);
	return { accessKeyId, secretAccessKey };
}

/** The PEM text of `caFile`; null where there is none, and the public authorities are asked. Rejects with a sentence. */
export async function s3Authority(
	access: S3Access | undefined,
	node: string,
): Promise<string | null> {
	const path = access?.caFile;
	if (path === undefined) return null;
	const text = await textOf(path, `the CA file for S3 of ${node}`);
	try {
		if (text.length > maxCaLength) throw new Error("it is too long");
		// Of several, the first: a file that is none at all must be told before an upload fails in a riddle.
		new X509Certificate(text);
	} catch (cause) {
		throw new OperatorError(
			"config",
			`${path} on ${node} holds no certificate in PEM: ${reasonOf(cause)}`,
			{ cause },
		);
	}
	return text;
}

function fromEnvironment(
	environment: Readonly<Record<string, string | undefined>>,
	node: string,
): S3Credentials {
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
	const text = await textOf(path, `the S3 secret of ${node}`);
	if (text !== "" && text.length <= maxSecretLength && !/\s/.test(text))
		return text;
	throw new OperatorError(
		"config",
		`${path} on ${node} holds no S3 secret: it must have the key and nothing else`,
	);
}

async function textOf(path: string, what: string): Promise<string> {
	try {
		return (await readFile(path, "utf8")).trim();
	} catch (cause) {
		throw new OperatorError(
			"config",
			`${what} cannot be read: ${reasonOf(cause)}`,
			{ cause },
		);
	}
}
