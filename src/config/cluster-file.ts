import { z } from "zod";
import { address } from "./address.js";
import { balancer } from "./balancer.js";
import { deploy } from "./deploy.js";
import { duration } from "./duration.js";
import { limits, log } from "./engine.js";
import { hosts, ssh } from "./hosts.js";
import { name } from "./name.js";
import { s3 } from "./s3.js";
import { tls } from "./tls.js";

const path = z.string().min(1);

const urlPath = z
	.string()
	.max(2_048)
	.regex(/^\/[!-~]*$/, "must begin with / and have no spaces");

const node = z.strictObject({
	id: name.describe(
		"The node's name. A number at its end (n1, n2) chooses the ports when they are not given.",
	),
	host: name
		.default("local")
		.describe(
			'The machine it runs on: one of `hosts`, or "local", which is this one.',
		),
	role: z
		.enum(["voter", "learner"])
		.default("voter")
		.describe("A learner gets the log but has no vote."),
	peer: address.optional().describe("Where the other nodes reach it."),
	client: address.optional().describe("Where applications reach it."),
	admin: address
		.optional()
		.describe("Where raftctl and health checks reach it."),
	agent: address
		.optional()
		.describe(
			"A port that answers HAProxy's agent-check. By default none, and peer's + 3 behind HAProxy.",
		),
	data: path
		.optional()
		.describe("Its data directory. By default <state>/<id>/data."),
});

const timing = z.strictObject({
	electionTimeout: duration({ minMs: 50, maxMs: 60_000 })
		.prefault("1s")
		.describe(
			"Without a leader's word for so long, a node stands for election.",
		),
	heartbeatInterval: duration({ minMs: 5, maxMs: 10_000 })
		.prefault("100ms")
		.describe("How often the leader makes itself heard."),
	transferTimeout: duration({ minMs: 50, maxMs: 60_000 })
		.prefault("1s")
		.describe(
			"After so long a handover has failed and the old leader goes on.",
		),
	diskStall: duration({ minMs: 50, maxMs: 600_000 })
		.prefault("2s")
		.describe("A leader whose disk is silent for so long gives up leading."),
});

const roll = z.strictObject({
	settle: duration({ minMs: 0, maxMs: 3_600_000 })
		.prefault("1s")
		.describe("How long a restarted node must stay ready before the next."),
	drainTimeout: duration({ minMs: 100, maxMs: 3_600_000 })
		.prefault("30s")
		.describe("The limit for connections to move and requests to end."),
	closeOver: duration({ minMs: 0, maxMs: 3_600_000 })
		.prefault("2s")
		.describe("Over how long a node's connections are moved, evenly."),
	startTimeout: duration({ minMs: 100, maxMs: 3_600_000 })
		.prefault("30s")
		.describe("The limit for a started node to become ready."),
	stopTimeout: duration({ minMs: 100, maxMs: 3_600_000 })
		.prefault("20s")
		.describe("The limit for a node to stop after SIGTERM."),
});

const canaryRequest = z.strictObject({
	path: urlPath.describe("The path, from / on."),
	body: z
		.string()
		.max(65_536)
		.optional()
		.describe("The body; with one it is a POST, of JSON."),
});

const canary = z.strictObject({
	write: canaryRequest.describe(
		"What it writes, always with POST: {key} and {value} stand for its own.",
	),
	read: canaryRequest.describe(
		"What it reads; the answer must show the last {value} written.",
	),
	remove: canaryRequest
		.optional()
		.describe("How its key is deleted at the end. By default it stays."),
});

/** The cluster file as it is written; load.ts makes the Inventory of it. */
export const clusterFile = z.strictObject({
	name: name.describe("What people call the cluster."),
	id: name.describe(
		"Written by `raftctl init`, never changed: nodes refuse to speak to another id.",
	),
	engine: z.literal("raftd").default("raftd").describe("What the nodes run."),
	state: path
		.optional()
		.describe(
			"Where raftctl keeps node configurations, pid files and logs. By default .raftctl/<name> beside this file.",
		),
	portBase: z
		.number()
		.int()
		.min(1024)
		.max(64_000)
		.default(7100)
		.describe(
			"Ports that are not given are counted from here: the balancer gets the base itself and base + 1, node 1 (by the number at the end of its id) base + 10, 11 and 12 for peer, client and admin, node 2 base + 20 and so on.",
		),
	hosts,
	ssh: ssh
		.prefault({})
		.describe("How hosts are reached, where they do not say it themselves."),
	deploy: deploy
		.prefault({})
		.describe("Where things lie on the hosts, and what runs them."),
	nodes: z
		.array(
			z.union([name, node], "must be a node's id, or a mapping that has one"),
		)
		.min(1)
		.max(50)
		.describe("The members: ids, or mappings where more is to be said."),
	balancer,
	timing: timing.prefault({}).describe("Raft's clocks."),
	limits: limits
		.default({})
		.describe(
			"Bounds of every node, by the names that docs/raftd.md has; whole numbers, bytes without a unit.",
		),
	log: log.prefault({}).describe("What the nodes tell."),
	roll: roll.prefault({}).describe("The pace of a rolling restart."),
	canary: canary
		.optional()
		.describe(
			"What a canary asks a machine of your own. By default it knows the key-value machine.",
		),
	s3: s3
		.optional()
		.describe(
			"Where the schedule's snapshots go besides, and how nodes get in.",
		),
	tls: tls
		.optional()
		.describe(
			"TLS everywhere, with certificates of the cluster's own authority (`raftctl certs init`). None by default, for a cluster of one machine.",
		),
	app: path
		.optional()
		.describe(
			"A module with the team's own state machine, relative to this file. By default the bundled key-value machine.",
		),
});

export type ClusterFile = z.output<typeof clusterFile>;
export type ClusterFileNode = z.output<typeof node>;
