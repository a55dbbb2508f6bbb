import { Code, ConnectError } from "@connectrpc/connect";
import {
	type S3Target,
	type SnapshotSchedule,
	scheduleLimits,
} from "../../machines/control.js";
import type {
	SetSnapshotScheduleRequest,
	S3Target as WishedTarget,
} from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { Replica } from "../replica.js";
import { requireRange, requireShort, requireToken } from "./arguments.js";
import { runFenced } from "./control-call.js";

/** Sets the schedule, or ends it. Throws FAILED_PRECONDITION when another operation has begun, with its lock. */
export async function setSnapshotSchedule(
	replica: Pick<Replica, "control">,
	{ schedule, fencingToken }: SetSnapshotScheduleRequest,
): Promise<Record<string, never>> {
	await runFenced(
		replica,
		{
			type: "set-snapshot-schedule",
			schedule: schedule === undefined ? null : scheduleOf(schedule),
			fencingToken: requireToken(fencingToken),
			nowMs: Date.now(),
		},
		"the snapshot schedule",
	);
	return {};
}

type Wish = NonNullable<SetSnapshotScheduleRequest["schedule"]>;

function scheduleOf(wish: Wish): SnapshotSchedule {
	const { intervalMs, keep } = scheduleLimits;
	return {
		intervalMs: requireRange(
			"schedule.interval_ms",
			Number(wish.intervalMs),
			intervalMs,
		),
		keep: requireRange("schedule.keep", wish.keep, keep),
		directory: requireDirectory(wish.directory),
		command: requireCommand(wish.command),
		s3: wish.s3 === undefined ? null : requireTarget(wish.s3),
	};
}

function requireDirectory(path: string): string {
	if (path.startsWith("/") && isWord(path)) return path;
	throw invalid(
		`schedule.directory is "${path.slice(0, 80)}": it must be an absolute path of at most ${scheduleLimits.wordLength} characters`,
	);
}

function requireCommand(command: readonly string[]): readonly string[] {
	const { commandWords, wordLength } = scheduleLimits;
	if (command.length > commandWords)
		throw invalid(
			`schedule.command has ${command.length} words; there may be ${commandWords}`,
		);
	if (command[0] === "")
		throw invalid("schedule.command must begin with a program");
	if (!command.every(isWord))
		throw invalid(
			`schedule.command has a word that holds a zero byte, or more than ${wordLength} characters`,
		);
	return command;
}

/** The system takes neither a path nor an argument with a zero byte. */
function isWord(word: string): boolean {
	return word.length <= scheduleLimits.wordLength && !word.includes("\0");
}

function requireTarget(wish: WishedTarget): S3Target {
	const { endpoint, bucket } = wish;
	// Not said again: who writes credentials into it does not want them in a log.
	if (!/^https?:\/\/[^\s/?#@]+\/?$/.test(endpoint))
		throw invalid(
			"schedule.s3.endpoint must be http(s)://host:port, without a path or credentials",
		);
	if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
		throw invalid(
			`schedule.s3.bucket is "${bucket.slice(0, 80)}": it must have 3 to 63 lower-case letters, digits, dots or dashes`,
		);
	return {
		endpoint: requireShort("schedule.s3.endpoint", endpoint),
		bucket,
		prefix: requireShort("schedule.s3.prefix", wish.prefix),
		region: requireShort("schedule.s3.region", wish.region),
	};
}

function invalid(message: string): ConnectError {
	return new ConnectError(message, Code.InvalidArgument);
}
