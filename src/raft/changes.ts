import type {
	ChangeRefusalReason,
	Configuration,
	ConfigurationChange,
	MemberAddress,
	MemberChange,
	NodeId,
} from "./types.js";

/** What a change amounts to, or why it makes no sense. */
export type PlannedChange =
	| {
			readonly kind: "planned";
			readonly target: Configuration;
			/** Learners that are to vote: they must have caught up. */
			readonly promoted: readonly NodeId[];
	  }
	| {
			readonly kind: "refused";
			readonly reason: ChangeRefusalReason;
			readonly node: NodeId | null;
	  };

interface Draft {
	/** Who is a member as long as the change is not done. */
	readonly before: ReadonlySet<NodeId>;
	readonly voters: Set<NodeId>;
	readonly learners: Set<NodeId>;
	readonly addresses: Map<NodeId, MemberAddress>;
	readonly promoted: Set<NodeId>;
}

/** The configuration that `change` leads to, when it is made on `current`, which is not joint. Pure. */
export function planChange(
	current: Configuration,
	change: ConfigurationChange,
): PlannedChange {
	const draft: Draft = {
		before: new Set([...current.voters, ...current.learners]),
		voters: new Set(current.voters),
		learners: new Set(current.learners),
		addresses: new Map(Object.entries(current.addresses)),
		promoted: new Set(),
	};
	for (const one of change.changes) {
		const reason = applyOne(draft, one);
		if (reason !== null) return { kind: "refused", reason, node: one.id };
	}
	const target = configurationOf(draft);
	if (target.voters.length === 0)
		return { kind: "refused", reason: "no-voters", node: null };
	if (isSame(current, target))
		return { kind: "refused", reason: "nothing-to-change", node: null };
	return { kind: "planned", target, promoted: [...draft.promoted] };
}

function applyOne(
	draft: Draft,
	change: MemberChange,
): ChangeRefusalReason | null {
	const { voters, learners, addresses, promoted } = draft;
	const { id } = change;
	const isMember = voters.has(id) || learners.has(id);
	if (change.type === "add") {
		// One that this very change removes still has its vote while the change is under way (P31).
		if (isMember || draft.before.has(id)) return "duplicate-member";
		learners.add(id);
		addresses.set(id, change.address);
		return null;
	}
	if (!isMember) return "unknown-member";
	switch (change.type) {
		case "promote":
			if (!learners.delete(id)) return "not-a-learner";
			voters.add(id);
			promoted.add(id);
			return null;
		case "demote":
			if (!voters.delete(id)) return "not-a-voter";
			learners.add(id);
			promoted.delete(id);
			return null;
		case "remove":
			voters.delete(id);
			learners.delete(id);
			promoted.delete(id);
			addresses.delete(id);
			return null;
		case "update": {
			const known = addresses.get(id)?.incarnation;
			if (known !== undefined && known !== change.address.incarnation)
				return "other-incarnation";
			addresses.set(id, change.address);
			return null;
		}
	}
}

function configurationOf(draft: Draft): Configuration {
	return {
		voters: [...draft.voters].sort(),
		outgoing: [],
		learners: [...draft.learners].sort(),
		addresses: Object.fromEntries(
			[...draft.addresses].sort(([a], [b]) => (a < b ? -1 : 1)),
		),
	};
}

/** Who decides while the change is under way; `target` itself when it changes no voter (paper, section 6). */
export function transitionTo(
	current: Configuration,
	target: Configuration,
): Configuration {
	if (hasSameNames(current.voters, target.voters)) return target;
	return {
		...target,
		outgoing: current.voters,
		addresses: { ...current.addresses, ...target.addresses },
	};
}

/** What a joint configuration is on its way to. */
export function leaveJoint(joint: Configuration): Configuration {
	const stay = new Set([...joint.voters, ...joint.learners]);
	return {
		...joint,
		outgoing: [],
		addresses: Object.fromEntries(
			Object.entries(joint.addresses).filter(([id]) => stay.has(id)),
		),
	};
}

function isSame(a: Configuration, b: Configuration): boolean {
	return (
		hasSameNames(a.voters, b.voters) &&
		hasSameNames(a.learners, b.learners) &&
		hasSameNames(Object.keys(a.addresses), Object.keys(b.addresses)) &&
		Object.entries(a.addresses).every(([id, address]) =>
			isSameAddress(address, b.addresses[id] as MemberAddress),
		)
	);
}

function isSameAddress(a: MemberAddress, b: MemberAddress): boolean {
	return (
		a.peer === b.peer &&
		a.client === b.client &&
		a.admin === b.admin &&
		a.incarnation === b.incarnation
	);
}

function hasSameNames(a: readonly NodeId[], b: readonly NodeId[]): boolean {
	const names = new Set(a);
	return names.size === new Set(b).size && b.every((id) => names.has(id));
}
