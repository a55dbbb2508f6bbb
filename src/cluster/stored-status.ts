import type {
	ScheduledSnapshotJson,
	SnapshotScheduleJson,
	SnapshotSummaryJson,
	StoredOperationJson,
} from "../wire/gen/raftctl/admin/v1/admin_pb.js";
import { type AnswerReader, answerReader } from "./answer-reader.js";
import type {
	NodeRef,
	ScheduledSnapshot,
	SnapshotSchedule,
	SnapshotSummary,
	StoredOperation,
} from "./engine.js";

/** What a node says of the journal and of snapshots; each throws OperatorError "unreachable" for what is no raftd's. */
export function decodeOperation(
	node: NodeRef,
	json: StoredOperationJson | undefined,
): StoredOperation {
	const read = answerReader(node);
	return {
		id: read.text("operation", json?.id),
		unfinished: json?.unfinished === true,
		record: read.text("record", json?.record),
		pauseRequested: json?.pauseRequested === true,
		beganAtMs: read.number("beganAtMs", json?.beganAtMs),
		updatedAtMs: read.number("updatedAtMs", json?.updatedAtMs),
	};
}

export function decodeSchedule(
	read: AnswerReader,
	json: SnapshotScheduleJson,
): SnapshotSchedule {
	const s3 = read.message("s3", json.s3);
	return {
		intervalMs: read.integer("intervalMs", json.intervalMs),
		keep: read.integer("keep", json.keep),
		directory: read.text("directory", json.directory),
		command: read
			.list("command", json.command)
			.map((word) => read.text("command", word)),
		s3:
			s3 === null
				? null
				: {
						endpoint: read.text("endpoint", s3.endpoint),
						bucket: read.text("bucket", s3.bucket),
						prefix: read.text("prefix", s3.prefix),
						region: read.text("region", s3.region),
					},
	};
}

export function decodeScheduled(
	read: AnswerReader,
	json: ScheduledSnapshotJson,
): ScheduledSnapshot {
	return {
		succeededAtMs: read.number("succeededAtMs", json.succeededAtMs) || null,
		index: read.integer("index", json.index),
		node: read.text("node", json.node),
		file: read.text("file", json.file),
		bytes: read.integer("bytes", json.bytes),
		attemptedAtMs: read.number("attemptedAtMs", json.attemptedAtMs),
		fault: read.text("fault", json.fault),
	};
}

export function decodeSnapshotSummary(
	read: AnswerReader,
	json: SnapshotSummaryJson,
): SnapshotSummary {
	return {
		index: read.integer("index", json.index),
		term: read.integer("term", json.term),
		id: read.text("id", json.id),
		fileBytes: read.integer("fileBytes", json.fileBytes),
		sha256: read.text("sha256", json.sha256),
		level: read.integer("level", json.level),
		release: read.text("release", json.release),
		machine: read.text("machine", json.machine),
		createdAtMs: read.number("createdAtMs", json.createdAtMs),
	};
}
