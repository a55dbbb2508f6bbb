import { Code, ConnectError } from "@connectrpc/connect";
import type {
	CatchUpStatus,
	ChangeRefusal,
	ConfigurationChange,
	MemberAddress,
	MemberChange,
	Status,
} from "../../raft/types.js";
import {
	type ChangeMembershipRequest,
	ChangeRefusalSchema,
	type MemberChange as RequestedChange,
} from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { ConfigurationOutcome, Replica } from "../replica.js";
import { requireShort, requireText } from "./arguments.js";

/** More members than this are no cluster but a mistake. */
const maxChanges = 64;

/**
 * Changes who takes part, and answers when the final configuration is committed. Throws ConnectError
 * FAILED_PRECONDITION with a ChangeRefusal when nothing was changed, ABORTED when that is not known.
 */
export async function changeMembership(
	replica: Replica,
	request: ChangeMembershipRequest,
): Promise<{ index: bigint }> {
	const change = changeOf(request, replica.status().raft);
	const outcome = await new Promise<ConfigurationOutcome>((resolve) =>
		replica.changeConfiguration(change, resolve),
	);
	if (outcome.kind === "done") return { index: BigInt(outcome.index) };
	if (outcome.kind === "unknown")
		throw new ConnectError(outcome.message, Code.Aborted);
	throw refused(outcome.refusal, change);
}

function changeOf(
	{ changes, expectedIndex, waived }: ChangeMembershipRequest,
	{ configuration }: Status,
): ConfigurationChange {
	if (changes.length === 0 || changes.length > maxChanges)
		throw invalid(`changes must be 1 to ${maxChanges}, not ${changes.length}`);
	for (const check of waived)
		if (check !== "catch-up" && check !== "quorum")
			throw invalid(`waived names ${check}; there are catch-up and quorum`);
	return {
		changes: changes.map((one) =>
			memberChange(one, configuration.addresses[one.id]),
		),
		expectedIndex: expectedIndex === 0n ? null : Number(expectedIndex),
		waived: waived as ConfigurationChange["waived"],
	};
}

function memberChange(
	requested: RequestedChange,
	known: MemberAddress | undefined,
): MemberChange {
	const { id, type } = requested;
	if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(id))
		throw invalid(
			`changes.id is "${id}": it must be 1 to 63 letters, digits, dots, dashes or underscores, and begin with a letter or digit`,
		);
	switch (type) {
		case "promote":
		case "demote":
		case "remove":
			return { type, id };
		case "add":
			requireText("changes.incarnation", requested.incarnation);
			return { type, id, address: addressOf(requested, undefined) };
		case "update":
			return { type, id, address: addressOf(requested, known) };
		default:
			throw invalid(
				`changes.type is "${type}"; there are add, promote, demote, remove and update`,
			);
	}
}

/** What an update leaves empty stays as it is. */
function addressOf(
	requested: RequestedChange,
	known: MemberAddress | undefined,
): MemberAddress {
	const incarnation = requested.incarnation || known?.incarnation;
	return {
		peer: port("peer_address", requested.peerAddress || known?.peer),
		client: port("client_address", requested.clientAddress || known?.client),
		admin: port("admin_address", requested.adminAddress || known?.admin),
		...(incarnation === undefined
			? {}
			: { incarnation: requireShort("changes.incarnation", incarnation) }),
	};
}

/** Every member will dial what gets into the log: an address that cannot be dialled must not. */
function port(field: string, address = ""): string {
	const parts = /^(\[[0-9a-fA-F:]+\]|[^:\s]{1,255}):(\d{1,5})$/.exec(address);
	const number = Number(parts?.[2] ?? 0);
	if (number >= 1 && number <= 65_535) return address;
	throw invalid(
		`changes.${field} is "${address}": it must be host:port, with a port of 1 to 65535`,
	);
}

function refused(
	refusal: ChangeRefusal,
	change: ConfigurationChange,
): ConnectError {
	const { reason, node, catchUp } = refusal;
	const sentence = isReplacing(refusal, change)
		? `one change cannot remove ${node} and add it again, as its old self votes until the change is done: remove it first, then add it in a second change, with the incarnation of its new data directory`
		: refusalSentence(refusal);
	return new ConnectError(
		`nothing was changed: ${sentence}`,
		Code.FailedPrecondition,
		undefined,
		[
			{
				desc: ChangeRefusalSchema,
				value: {
					...{ reason, node: node ?? "" },
					...(catchUp === null ? {} : { catchUp: catchUpMessage(catchUp) }),
				},
			},
		],
	);
}

/** A negative time stands for never. */
export function catchUpMessage(status: CatchUpStatus) {
	const { lagEntries, entriesPerSecond, remainingMs, caughtUp } = status;
	return {
		...{ lagEntries: BigInt(lagEntries), entriesPerSecond, caughtUp },
		remainingMs: remainingMs ?? -1,
	};
}

/** Whether the member that is in the way is one that the same change removes (P31). */
function isReplacing(
	{ reason, node }: ChangeRefusal,
	{ changes }: ConfigurationChange,
): boolean {
	const has = (wanted: MemberChange["type"]) =>
		changes.some(({ type, id }) => type === wanted && id === node);
	return reason === "duplicate-member" && has("remove") && has("add");
}

function refusalSentence({ reason, node, catchUp }: ChangeRefusal): string {
	switch (reason) {
		case "not-leader":
			return "this node does not lead";
		case "transferring":
			return "leadership is being handed over";
		case "disk-stalled":
			return "the disk of the leader does not answer";
		case "term-not-committed":
			return "the leader is new, and nothing of its term is committed yet; try again in a moment";
		case "change-in-flight":
			return "another change is under way; try again when it is done";
		case "configuration-changed":
			return "the membership has changed since you looked";
		case "nothing-to-change":
			return "the cluster is like that already";
		case "unknown-member":
			return `${node} is not a member`;
		case "duplicate-member":
			return `${node} is a member already`;
		case "not-a-learner":
			return `${node} is not a learner; only one that has caught up as a learner may vote`;
		case "not-a-voter":
			return `${node} is not a voter`;
		case "other-incarnation":
			return `${node} is known with another data directory; remove it and add it as a new member`;
		case "no-voters":
			return "nobody would be left to vote";
		case "target-unreachable":
			return `the leader has not heard ${node} lately; see that it runs and is reachable`;
		case "target-lagging":
			return `${node} has not caught up: ${lagSentence(catchUp)}`;
		case "quorum-at-risk":
			return "of the voters that there would be, fewer than a majority are connected now";
	}
}

function lagSentence(catchUp: CatchUpStatus | null): string {
	if (catchUp === null) return "nothing is known of it yet";
	const { lagEntries, entriesPerSecond, remainingMs } = catchUp;
	const left =
		remainingMs === null
			? "and it does not gain on the leader"
			: `about ${Math.ceil(remainingMs / 1000)} s to go`;
	const behind = `${lagEntries} ${lagEntries === 1 ? "entry" : "entries"} behind`;
	return `${behind}, ${entriesPerSecond} a second, ${left}`;
}

function invalid(message: string): ConnectError {
	return new ConnectError(message, Code.InvalidArgument);
}
