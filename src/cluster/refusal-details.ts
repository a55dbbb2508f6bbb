import type { OperatorError } from "../errors.js";
import type { FailureDetail } from "./admin-call.js";
import { answerReader } from "./answer-reader.js";
import {
	ChangeRefusedError,
	UnfinishedOperationError,
} from "./change-refused.js";
import type { NodeRef } from "./engine.js";
import { decodeCatchUp } from "./node-status.js";
import { decodeOperation } from "./stored-status.js";

/** The error that a failure's detail amounts to; null when it says nothing that the failure itself does not. */
export async function detailedRefusal(
	node: NodeRef,
	message: string,
	{ type, value }: FailureDetail,
): Promise<OperatorError | null> {
	const decode = decoders[type.replace(/^raftctl\.admin\.v1\./, "")];
	if (decode === undefined) return null;
	try {
		return await decode(node, message, Buffer.from(value, "base64"));
	} catch {
		// The node's own words are there all the same.
		return null;
	}
}

type Decode = (
	node: NodeRef,
	message: string,
	bytes: Uint8Array,
) => Promise<OperatorError | null>;

const decoders: Readonly<Record<string, Decode>> = {
	async ChangeRefusal(node, message, bytes) {
		const { ChangeRefusalSchema, fromBinary, toJson } = await protobuf();
		const {
			reason,
			node: about,
			catchUp,
		} = toJson(ChangeRefusalSchema, fromBinary(ChangeRefusalSchema, bytes));
		const read = answerReader(node);
		return new ChangeRefusedError(message, {
			reason: read.text("reason", reason),
			node: read.text("node", about) || null,
			catchUp: catchUp === undefined ? null : decodeCatchUp(read, catchUp),
		});
	},
	async OperationRefusal(node, message, bytes) {
		const { OperationRefusalSchema, fromBinary, toJson } = await protobuf();
		const { reason, operation } = toJson(
			OperationRefusalSchema,
			fromBinary(OperationRefusalSchema, bytes),
		);
		if (reason !== "unfinished-operation" || operation === undefined)
			return null;
		return new UnfinishedOperationError(
			message,
			decodeOperation(node, operation),
		);
	},
};

/** Only a refusal is worth the time that loading it takes. */
async function protobuf() {
	const [{ fromBinary, toJson }, schemas] = await Promise.all([
		import("@bufbuild/protobuf"),
		import("../wire/gen/raftctl/admin/v1/admin_pb.js"),
	]);
	return { fromBinary, toJson, ...schemas };
}
