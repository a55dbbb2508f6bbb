import {
	AbortMultipartUploadCommand,
	CompleteMultipartUploadCommand,
	CreateMultipartUploadCommand,
	DeleteObjectCommand,
	HeadObjectCommand,
	ListMultipartUploadsCommand,
	ListObjectsV2Command,
	PutObjectCommand,
	S3Client,
	UploadPartCommand,
} from "@aws-sdk/client-s3";
import { OperatorError } from "../../errors.js";
import type { S3Target } from "../../machines/control.js";

export interface S3Credentials {
	readonly accessKeyId: string;
	readonly secretAccessKey: string;
	/** Of credentials that expire. */
	readonly sessionToken?: string;
}

/** What copies need of a bucket. Every call rejects with a sentence that names the server and has no secret in it. */
export interface Bucket {
	/** Null when there is no such object. */
	head(key: string): Promise<BucketObject | null>;
	/** Keys that begin so; at most `maxListedKeys`. */
	list(prefix: string): Promise<string[]>;
	put(key: string, body: Uint8Array, tag: string): Promise<void>;
	/** Begins an object in parts; it is there only once it is completed. */
	begin(key: string, tag: string): Promise<string>;
	/** Numbers from 1 on. Resolves to what `complete` wants to know of the part. */
	part(upload: Upload, number: number, body: Uint8Array): Promise<string>;
	complete(upload: Upload, parts: readonly string[]): Promise<void>;
	/** Gives up, also after the signal has said so: parts without an object cost money and are seen nowhere. */
	abort(upload: Upload): Promise<void>;
	/** Those that were begun and neither completed nor given up. */
	uploads(prefix: string): Promise<(Upload & { readonly begunAtMs: number })[]>;
	remove(key: string): Promise<void>;
	close(): void;
}

export interface BucketObject {
	readonly bytes: number;
	/** As it was given with it; null for none. */
	readonly tag: string | null;
}

export interface Upload {
	readonly key: string;
	readonly id: string;
}

/** More is no bucket for snapshots: what lies beyond is not removed. */
const maxListedKeys = 10_000;
const connectTimeoutMs = 10_000;
/** Without a byte in either direction. */
const idleTimeoutMs = 30_000;
/** For one call with all its tries; of a part, too: slower than that is as good as not at all. */
const callLimitMs = 300_000;
const abortLimitMs = 10_000;
/** The SDK waits longer each time, with jitter. */
const maxTries = 4;
const tagName = "raftctl-cluster";

interface BucketOptions {
	readonly target: S3Target;
	readonly credentials: S3Credentials;
	/** PEM of the authorities that are trusted, and no others; null for the public ones. */
	readonly authority: string | null;
	readonly signal: AbortSignal;
	readonly callLimitMs?: number;
}

/**
 * Opens a bucket of S3, or of what speaks as S3 does. Only who has something to upload loads this file: the SDK is most of
 * a megabyte.
 */
export function openBucket(options: BucketOptions): Bucket {
	const { target, credentials, authority } = options;
	const client = new S3Client({
		endpoint: target.endpoint,
		region: target.region || "us-east-1",
		credentials,
		// Bucket names as host names need a DNS that few servers but Amazon's have.
		forcePathStyle: true,
		// Each request is signed with the SHA-256 of its body: newer checksums are refused by many servers.
		requestChecksumCalculation: "WHEN_REQUIRED",
		responseChecksumValidation: "WHEN_REQUIRED",
		maxAttempts: maxTries,
		retryMode: "standard",
		requestHandler: {
			connectionTimeout: connectTimeoutMs,
			socketTimeout: idleTimeoutMs,
			...(authority === null
				? {}
				: { httpsAgent: { ca: authority, keepAlive: true } }),
		},
	});
	return new S3Bucket(client, options);
}

class S3Bucket implements Bucket {
	readonly #client: S3Client;
	readonly #options: BucketOptions;

	constructor(client: S3Client, options: BucketOptions) {
		this.#client = client;
		this.#options = options;
	}

	get #bucket() {
		return { Bucket: this.#options.target.bucket };
	}

	async head(key: string): Promise<BucketObject | null> {
		const command = new HeadObjectCommand({ ...this.#bucket, Key: key });
		const found = await this.#call((options) =>
			this.#client.send(command, options).catch((error) => {
				if (statusOf(error) === 404) return null;
				throw error;
			}),
		);
		if (found === null) return null;
		const tag = found.Metadata?.[tagName] ?? null;
		return { bytes: found.ContentLength ?? 0, tag };
	}

	async list(prefix: string): Promise<string[]> {
		const keys: string[] = [];
		let next: string | undefined;
		do {
			const page = await this.#call((options) =>
				this.#client.send(
					new ListObjectsV2Command({
						...{ ...this.#bucket, Prefix: prefix },
						...(next === undefined ? {} : { ContinuationToken: next }),
					}),
					options,
				),
			);
			for (const { Key } of page.Contents ?? [])
				if (Key !== undefined) keys.push(Key);
			next = page.IsTruncated ? page.NextContinuationToken : undefined;
		} while (next !== undefined && keys.length < maxListedKeys);
		return keys;
	}

	async put(key: string, body: Uint8Array, tag: string): Promise<void> {
		const command = new PutObjectCommand({
			...{ ...this.#bucket, Key: key, Body: body },
			Metadata: { [tagName]: tag },
		});
		await this.#call((options) => this.#client.send(command, options));
	}

	async begin(key: string, tag: string): Promise<string> {
		const command = new CreateMultipartUploadCommand({
			...{ ...this.#bucket, Key: key },
			Metadata: { [tagName]: tag },
		});
		const { UploadId } = await this.#call((options) =>
			this.#client.send(command, options),
		);
		return this.#told(UploadId, "no id for an upload");
	}

	async part(
		upload: Upload,
		number: number,
		body: Uint8Array,
	): Promise<string> {
		const command = new UploadPartCommand({
			...{ ...this.#bucket, Key: upload.key, UploadId: upload.id },
			...{ PartNumber: number, Body: body },
		});
		const { ETag } = await this.#call((options) =>
			this.#client.send(command, options),
		);
		return this.#told(ETag, "no tag for a part");
	}

	async complete(upload: Upload, parts: readonly string[]): Promise<void> {
		const command = new CompleteMultipartUploadCommand({
			...{ ...this.#bucket, Key: upload.key, UploadId: upload.id },
			MultipartUpload: {
				Parts: parts.map((ETag, at) => ({ ETag, PartNumber: at + 1 })),
			},
		});
		await this.#call((options) => this.#client.send(command, options));
	}

	async abort(upload: Upload): Promise<void> {
		const command = new AbortMultipartUploadCommand({
			...{ ...this.#bucket, Key: upload.key, UploadId: upload.id },
		});
		const abortSignal = AbortSignal.timeout(abortLimitMs);
		await this.#client.send(command, { abortSignal });
	}

	async uploads(prefix: string) {
		const command = new ListMultipartUploadsCommand({
			...{ ...this.#bucket, Prefix: prefix },
		});
		const { Uploads = [] } = await this.#call((options) =>
			this.#client.send(command, options),
		);
		return Uploads.flatMap(({ Key, UploadId, Initiated }) =>
			Key === undefined || UploadId === undefined || Initiated === undefined
				? []
				: { key: Key, id: UploadId, begunAtMs: Initiated.getTime() },
		);
	}

	async remove(key: string): Promise<void> {
		const command = new DeleteObjectCommand({ ...this.#bucket, Key: key });
		await this.#call((options) => this.#client.send(command, options));
	}

	close(): void {
		this.#client.destroy();
	}

	/** Within the limit, or until the work is given up; what fails is told as a sentence. */
	async #call<Answer>(
		send: (options: { abortSignal: AbortSignal }) => Promise<Answer>,
	): Promise<Answer> {
		const { signal, callLimitMs: limitMs = callLimitMs } = this.#options;
		const limit = AbortSignal.timeout(limitMs);
		const abortSignal = AbortSignal.any([signal, limit]);
		try {
			abortSignal.throwIfAborted();
			return await send({ abortSignal });
		} catch (error) {
			if (signal.aborted) throw signal.reason;
			throw this.#fault(
				limit.aborted
					? `did not take it within ${limitMs / 1000} s`
					: reasonOfFailure(error),
				error,
			);
		}
	}

	#told(value: string | undefined, what: string): string {
		if (value !== undefined) return value;
		throw this.#fault(`gave ${what}: it does not speak as S3 does`, undefined);
	}

	#fault(clause: string, cause: unknown): OperatorError {
		const { target } = this.#options;
		return new OperatorError(
			"unexpected",
			`S3 at ${withoutUser(target.endpoint)}, bucket ${target.bucket}, ${clause}`,
			{ cause },
		);
	}
}

function statusOf(error: unknown): number | undefined {
	const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
	return $metadata?.httpStatusCode;
}

/** The name tells the kind, the status where a proxy has answered instead of S3. */
function reasonOfFailure(error: unknown): string {
	const { name, message, code } = error as Error & { code?: string };
	const status = statusOf(error);
	if (status === undefined)
		return `cannot be reached: ${message || code || name}`;
	return `refused with ${status} ${name}: ${message}`;
}

/** A URL may carry a password. */
function withoutUser(endpoint: string): string {
	try {
		return new URL(endpoint).origin;
	} catch {
		return "an endpoint that is no URL";
	}
}
