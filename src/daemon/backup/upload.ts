import { basename } from "node:path";
import { OperatorError } from "../../errors.js";
import type { S3Target } from "../../machines/control.js";
import type { WorkContext } from "./copy.js";
import {
	type CopyOwner,
	clusterTag,
	copyIndex,
	expendable,
} from "./copy-names.js";
import type { Bucket, S3Credentials } from "./s3-bucket.js";
import { throttle } from "./throttle.js";

export interface UploadOrder {
	readonly owner: CopyOwner;
	/** The copy in the schedule's directory. */
	readonly file: string;
	readonly index: number;
	readonly keep: number;
	readonly target: S3Target;
	readonly credentials: S3Credentials;
	/** PEM; null for the public authorities. */
	readonly authority: string | null;
	readonly maxBytesPerSecond: number;
}

/** A larger file goes in parts of this size; of one as large as S3 takes, in larger parts. */
export const partBytes = 8 * 1024 * 1024;
/** S3 takes no more. */
const maxParts = 10_000;
/** After that nobody can be at it any more. */
const staleUploadMs = 24 * 60 * 60 * 1000;

/**
 * Puts a copy into a bucket, under `<prefix>/<its name>`, looks whether it is there whole, and removes this cluster's
 * older ones but the newest `keep`. Rejects with a sentence.
 */
export async function uploadCopy(
	order: UploadOrder,
	bucket: Bucket,
	context: WorkContext,
): Promise<void> {
	const { owner, file, target } = order;
	const key = keyPrefix(target) + basename(file);
	const tag = clusterTag(owner);
	const reader = context.disk.openReadOnly(file);
	try {
		const bytes = reader.size();
		// Asked for by list first: an answer to HEAD has no body, and a refusal could not say why.
		const isListed = (await bucket.list(key)).includes(key);
		const there = isListed ? await bucket.head(key) : null;
		if (there !== null && there.tag !== tag)
			throw fault(
				`${key} in the bucket ${target.bucket} is another cluster's: give each cluster a prefix of its own`,
			);
		if (there?.bytes !== bytes) {
			const read = (offset: number, length: number) => {
				const body = Buffer.allocUnsafeSlow(length);
				if (reader.readAt(body, offset) === length) return body;
				throw fault(`${file} has changed while it was read`);
			};
			await send({ order, bucket, context, key, tag }, bytes, read);
			await isThere(bucket, target, key, bytes);
		}
	} finally {
		reader.close();
	}
	await pruneBucket(order, bucket, context);
}

interface Sending {
	readonly order: UploadOrder;
	readonly bucket: Bucket;
	readonly context: WorkContext;
	readonly key: string;
	readonly tag: string;
}

type Read = (offset: number, length: number) => Buffer;

async function send(
	{ order, bucket, context, key, tag }: Sending,
	bytes: number,
	read: Read,
): Promise<void> {
	if (bytes <= partBytes) {
		await bucket.put(key, read(0, bytes), tag);
		return;
	}
	const upload = { key, id: await bucket.begin(key, tag) };
	try {
		const pause = throttle(order.maxBytesPerSecond, context.signal);
		const size = Math.max(partBytes, Math.ceil(bytes / maxParts));
		const parts: string[] = [];
		for (let offset = 0; offset < bytes; offset += size) {
			const body = read(offset, Math.min(size, bytes - offset));
			parts.push(await bucket.part(upload, parts.length + 1, body));
			context.onProgress();
			await pause(body.length);
		}
		await bucket.complete(upload, parts);
	} catch (error) {
		// The first failure is the one that is told; what stays is given up by a later run.
		await bucket.abort(upload).catch(() => {});
		throw error;
	}
}

async function isThere(
	bucket: Bucket,
	{ bucket: name }: S3Target,
	key: string,
	bytes: number,
): Promise<void> {
	const there = await bucket.head(key);
	if (there?.bytes === bytes) return;
	throw fault(
		`${key} in the bucket ${name} has ${there?.bytes ?? 0} bytes after ${bytes} were sent`,
	);
}

async function pruneBucket(
	{ owner, index, keep, target }: UploadOrder,
	bucket: Bucket,
	{ onProgress }: WorkContext,
): Promise<void> {
	const prefix = keyPrefix(target);
	const indexOf = (key: string) => copyIndex(owner, key.slice(prefix.length));
	const named = (await bucket.list(`${prefix}${owner.cluster}-`)).flatMap(
		(key) => {
			const at = indexOf(key);
			return at === null ? [] : { key, index: at };
		},
	);
	const own: typeof named = [];
	if (named.length > keep) {
		const tag = clusterTag(owner);
		for (const copy of named) {
			onProgress();
			if ((await bucket.head(copy.key))?.tag === tag) own.push(copy);
		}
	}
	for (const { key } of expendable(own, keep, index)) await bucket.remove(key);
	await endStaleUploads(bucket, prefix, owner);
}

/** Parts that a node left behind when it was killed: they cost money and no list of objects shows them. */
async function endStaleUploads(
	bucket: Bucket,
	prefix: string,
	owner: CopyOwner,
): Promise<void> {
	// Some servers do not know this call: then there is nothing that could be done.
	const uploads = await bucket
		.uploads(`${prefix}${owner.cluster}-`)
		.catch(() => []);
	for (const upload of uploads) {
		const isOwn = copyIndex(owner, upload.key.slice(prefix.length)) !== null;
		if (isOwn && Date.now() - upload.begunAtMs > staleUploadMs)
			await bucket.abort(upload).catch(() => {});
	}
}

/** Ends in a slash, unless it is empty; begins with none. */
export function keyPrefix({ prefix }: S3Target): string {
	const words = prefix.split("/").filter((word) => word !== "");
	return words.length === 0 ? "" : `${words.join("/")}/`;
}

function fault(message: string): OperatorError {
	return new OperatorError("unexpected", message);
}
