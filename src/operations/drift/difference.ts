import type { BackendStatus } from "../../balancers/balancer.js";
import type { MemberStatus } from "../../cluster/engine.js";
import { editInWords } from "../../config/edit/words.js";
import type { ClusterFileEdit } from "../../config/edits.js";
import type { Inventory, NodeEntry } from "../../config/inventory.js";
import type { ConfigDifference } from "../node-config.js";

/** One thing that the file has otherwise than the cluster. */
export interface Difference {
	readonly about:
		| "cluster-id"
		| "member"
		| "role"
		| "address"
		| "node.yaml"
		| "backend";
	/** Null when it is about no single node. */
	readonly node: string | null;
	/** As "peer" or "timing.electionTimeoutMs"; null where `about` says it all. */
	readonly key: string | null;
	/** Null where it has nothing of the kind. */
	readonly file: string | null;
	readonly cluster: string | null;
	/** Whichever is right: each of these ends the difference, commands first. */
	readonly next: readonly string[];
}

/** What differences are told with. */
export interface Telling {
	readonly inventory: Inventory;
	/** The whole command line of these words. */
	readonly command: (words: string) => string;
}

/** The file's nodes against the members as a quorum has them. Pure. */
export function memberDifferences(
	telling: Telling,
	members: readonly MemberStatus[],
): readonly Difference[] {
	const { nodes } = telling.inventory;
	return [
		...nodes.flatMap((node) => {
			const member = members.find(({ id }) => id === node.id);
			return member === undefined
				? [missingMember(telling, node)]
				: [
						...roleDifference(telling, node, member),
						...addressDifferences(telling, node, member),
					];
		}),
		...members
			.filter((member) => !nodes.some(({ id }) => id === member.id))
			.map((member) => unknownMember(telling, member)),
	];
}

function missingMember(
	{ inventory, command }: Telling,
	{ id, role }: NodeEntry,
): Difference {
	const promoted = role === "voter" ? " --promote" : "";
	return {
		...{ about: "member", node: id, key: null, file: role, cluster: null },
		next: [
			command(`add-learner ${id}${promoted}`),
			edit(inventory, { type: "remove-node", id }),
		],
	};
}

function unknownMember(
	{ inventory, command }: Telling,
	member: MemberStatus,
): Difference {
	const { id, peer, client, admin } = member;
	const role = member.role === "learner" ? "learner" : "voter";
	// Where its data lies nobody but its host knows: the file's default may be another place.
	const node: NodeEntry = {
		...{ id, host: "local", role, peer, client, admin },
		...{ agent: null, dataDirectory: "<its data directory>" },
	};
	return {
		...{ about: "member", node: id, key: null },
		...{ file: null, cluster: member.role },
		next: [
			command(`remove-node ${id}`),
			edit(inventory, { type: "add-node", node }),
		],
	};
}

function roleDifference(
	{ inventory, command }: Telling,
	node: NodeEntry,
	member: MemberStatus,
): readonly Difference[] {
	if (node.role === member.role) return [];
	const found = {
		...({ about: "role", node: node.id, key: null } as const),
		...{ file: node.role, cluster: member.role },
	};
	if (member.role === "outgoing")
		return [
			{
				...found,
				next: [`${command("diff")}, once the change under way ends`],
			},
		];
	const verb = node.role === "voter" ? "promote" : "demote";
	const { id } = node;
	return [
		{
			...found,
			next: [
				command(`${verb} ${id}`),
				edit(inventory, { type: "set-role", id, role: member.role }),
			],
		},
	];
}

function addressDifferences(
	{ inventory, command }: Telling,
	node: NodeEntry,
	member: MemberStatus,
): readonly Difference[] {
	return (["peer", "client", "admin"] as const)
		.filter((key) => node[key] !== member[key])
		.map((key) => ({
			...{ about: "address", node: node.id, key },
			...{ file: node[key], cluster: member[key] },
			next: [
				command(`move-node ${node.id}`),
				`in ${fileOf(inventory)}, give ${node.id} "${key}: ${member[key]}"`,
			],
		}));
}

/** What lies on a member's host for raftd to read, against what the file makes of it. Pure. */
export function configurationDifferences(
	{ command }: Telling,
	node: string,
	differences: readonly ConfigDifference[],
): readonly Difference[] {
	return differences.map(({ key, wanted, present }) => ({
		...{ about: "node.yaml", node, key: key === "node.yaml" ? null : key },
		...{ file: wanted, cluster: present },
		next: [
			command(key === "node.yaml" ? "up" : `rolling-restart --node ${node}`),
		],
	}));
}

/** Whom the balancer sends connections to, against the file's nodes that are members. Pure. */
export function backendDifferences(
	{ inventory, command }: Telling,
	members: readonly MemberStatus[],
	backends: readonly BackendStatus[],
): readonly Difference[] {
	const next = [command("up")];
	const isBackend = (id: string) => backends.some(({ node }) => node === id);
	const absent = inventory.nodes.filter(
		({ id }) => !isBackend(id) && members.some((member) => member.id === id),
	);
	const unknown = backends.filter(
		({ node }) => !inventory.nodes.some(({ id }) => id === node),
	);
	return [
		...absent.map(({ id }) => ({
			...{ about: "backend" as const, node: id, key: null },
			...{ file: "a backend", cluster: null, next },
		})),
		...unknown.map(({ node }) => ({
			...{ about: "backend" as const, node, key: null },
			...{ file: null, cluster: "a backend", next },
		})),
	];
}

/** The nodes that answer are of another cluster than the file names. Pure. */
export function clusterIdDifference(
	{ inventory }: Telling,
	clusterId: string,
): readonly Difference[] {
	if (clusterId === inventory.id) return [];
	return [
		{
			...{ about: "cluster-id", node: null, key: null },
			...{ file: inventory.id, cluster: clusterId },
			next: [
				`${edit(inventory, { type: "set-cluster-id", clusterId })}, if that is the cluster that is meant`,
			],
		},
	];
}

function edit(inventory: Inventory, wish: ClusterFileEdit): string {
	return `in ${fileOf(inventory)}: ${editInWords(inventory, wish)}`;
}

function fileOf({ source }: Inventory): string {
	return source === "-" ? "the cluster file" : source;
}
