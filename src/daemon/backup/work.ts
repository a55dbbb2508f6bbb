import {
	type Copied,
	type CopyOrder,
	copySnapshot,
	type WorkContext,
} from "./copy.js";
import { type HookOrder, runHook } from "./hook.js";
import { type UploadOrder, uploadCopy } from "./upload.js";

/** One piece of work, as data: it goes to a thread of its own. */
export type Work =
	| { readonly kind: "copy"; readonly order: CopyOrder }
	| { readonly kind: "hook"; readonly order: HookOrder }
	| { readonly kind: "upload"; readonly order: UploadOrder };

/** Null but for a copy. Rejects with a sentence, or with the signal's reason. */
export async function perform(
	work: Work,
	context: WorkContext,
): Promise<Copied | null> {
	switch (work.kind) {
		case "copy":
			return await copySnapshot(work.order, context);
		case "hook":
			await runHook(work.order, context.signal);
			return null;
		case "upload": {
			const { openBucket } = await import("./s3-bucket.js");
			const { target, credentials, authority } = work.order;
			const { signal } = context;
			const bucket = openBucket({ target, credentials, authority, signal });
			try {
				await uploadCopy(work.order, bucket, context);
			} finally {
				bucket.close();
			}
			return null;
		}
	}
}
