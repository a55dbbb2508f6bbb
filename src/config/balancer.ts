import { z } from "zod";
import { address } from "./address.js";
import { duration } from "./duration.js";
import type { BalancerEntry, FrontBalancerEntry } from "./inventory.js";
import { name } from "./name.js";
import { balancerAddresses } from "./ports.js";

const path = z.string().regex(/^\/[!-~]+$/, "must be an absolute path");

const bindPattern =
	/^(\*|\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):(\d{1,5})$/;

/** Where something listens: an address, or "*" for all of the machine's. */
const bind = z
	.string()
	.regex(bindPattern, {
		error: 'must be host:port or "*:port", for example "*:8080"',
		abort: true,
	})
	.refine((text) => {
		const port = Number(bindPattern.exec(text)?.[3]);
		return port >= 1 && port <= 65_535;
	}, "has a port outside 1 to 65535");

const argv = z
	.array(z.string().min(1).max(4_096))
	.min(1, "must name a program")
	.max(64);

const embedded = z.strictObject({
	kind: z
		.literal("embedded")
		.describe(
			"embedded: the balancer that comes with raftctl, its own process. haproxy, nginx: one that runs on its hosts. command: any other, through a script of yours.",
		),
	host: name.default("local").describe("The machine it runs on."),
	listen: address
		.optional()
		.describe("Where applications connect. By default the port base."),
	admin: address
		.optional()
		.describe("Where raftctl reaches it. By default the port base + 1."),
	checkInterval: duration({ minMs: 20, maxMs: 60_000 })
		.prefault("200ms")
		.describe("How often each node is asked whether it is ready."),
});

const onHosts = {
	host: name
		.optional()
		.describe('The machine it runs on. By default "local", this one.'),
	hosts: z
		.array(name)
		.min(1)
		.max(10)
		.optional()
		.describe("The machines it runs on, where there are several."),
	listen: bind.describe('Where it listens: host:port, or "*:port".'),
	address: address
		.optional()
		.describe(
			"Where applications reach it: a name or floating address in front of several hosts. By default the first host's, with the port it listens on.",
		),
	reload: argv
		.optional()
		.describe(
			"The program and arguments that have it read its configuration again, on each of its hosts. By default `systemctl reload` of its unit.",
		),
};

const haproxy = z
	.strictObject({
		kind: z.literal("haproxy").describe("HAProxy, 2.4 or later."),
		...onHosts,
		config: path
			.default("/etc/haproxy/haproxy.cfg")
			.describe("Its configuration; raftctl writes a marked part of it."),
		socket: path
			.default("/run/haproxy/admin.sock")
			.describe("Its runtime socket on each host, of level admin."),
		tcp: z
			.union([address, z.array(address).min(1).max(10)])
			.optional()
			.describe(
				"Its runtime socket over TCP instead, one address for each host.",
			),
		checkInterval: duration({ minMs: 50, maxMs: 60_000 })
			.prefault("500ms")
			.describe("How often each node is asked."),
		fall: z
			.number()
			.int()
			.min(1)
			.max(100)
			.default(2)
			.describe("So many bad answers in a row take a node out."),
		rise: z
			.number()
			.int()
			.min(1)
			.max(100)
			.default(1)
			.describe("So many good answers in a row put it back."),
	})
	.refine(({ host, hosts }) => host === undefined || hosts === undefined, {
		error: 'has both "host" and "hosts"; one of them is enough',
	});

const nginx = z
	.strictObject({
		kind: z.literal("nginx").describe("nginx, 1.18 or later."),
		...onHosts,
		config: path
			.optional()
			.describe(
				"A file of raftctl's own that nginx includes within http. By default /etc/nginx/conf.d/raftctl-<name>.conf.",
			),
		main: path
			.default("/etc/nginx/nginx.conf")
			.describe("nginx's own configuration, which includes the other."),
		pid: path
			.default("/run/nginx.pid")
			.describe("The file with the process id of nginx's master."),
		keepAlive: z
			.boolean()
			.default(false)
			.describe(
				"Whether clients may use a connection for several requests. With it, a reload cuts off some that come just then.",
			),
	})
	.refine(({ host, hosts }) => host === undefined || hosts === undefined, {
		error: 'has both "host" and "hosts"; one of them is enough',
	});

const command = z.strictObject({
	kind: z
		.literal("command")
		.describe("Any other balancer, through a script of yours."),
	command: argv.describe(
		"The script and its first arguments; run on this machine, beside the cluster file.",
	),
	address: address.describe("Where applications reach the balancer."),
	timeout: duration({ minMs: 100, maxMs: 600_000 })
		.prefault("10s")
		.describe("How long the script may take for one answer."),
	reaction: duration({ minMs: 0, maxMs: 600_000 })
		.prefault("30s")
		.describe(
			"The longest time from what the script was told to the balancer's acting on it.",
		),
});

export const balancer = z
	.union(
		[
			z.literal("embedded"),
			z.discriminatedUnion("kind", [embedded, haproxy, nginx, command], {
				error: "must be embedded, haproxy, nginx or command",
			}),
		],
		'must be "embedded", or a mapping with a kind: embedded, haproxy, nginx or command',
	)
	.optional()
	.describe("What stands in front of the nodes. None by default.");

export interface BalancerPlace {
	/** Of the cluster. */
	readonly name: string;
	readonly portBase: number;
	/** The cluster file's own directory, absolute. */
	readonly directory: string;
	/** The address of a host by its name, without a port. */
	readonly addressOf: (host: string) => string;
}

/** What the cluster file says of the balancer, with every default filled in. */
export function resolveBalancer(
	file: z.output<typeof balancer>,
	place: BalancerPlace,
): BalancerEntry | null {
	if (file === undefined) return null;
	const derived = balancerAddresses(place.portBase);
	if (file === "embedded")
		return {
			kind: "embedded",
			host: "local",
			...derived,
			checkIntervalMs: 200,
		};
	if (file.kind === "embedded")
		return {
			kind: "embedded",
			host: file.host,
			listen: file.listen ?? derived.listen,
			admin: file.admin ?? derived.admin,
			checkIntervalMs: file.checkInterval,
		};
	if (file.kind === "command")
		return {
			kind: "command",
			argv: file.command,
			directory: place.directory,
			listen: file.address,
			timeoutMs: file.timeout,
			reactionMs: file.reaction,
		};
	return resolveFront(file, place);
}

function resolveFront(
	file: z.output<typeof haproxy> | z.output<typeof nginx>,
	{ name: cluster, addressOf }: BalancerPlace,
): FrontBalancerEntry {
	const hosts = file.hosts ?? [file.host ?? "local"];
	const common = {
		hosts,
		bind: file.listen,
		listen: file.address ?? reachable(file.listen, addressOf(hosts[0] ?? "")),
		reload: file.reload ?? null,
	};
	if (file.kind === "haproxy")
		return {
			kind: "haproxy",
			...common,
			config: file.config,
			socket: file.socket,
			tcp: file.tcp === undefined ? null : [file.tcp].flat(),
			checkIntervalMs: file.checkInterval,
			fall: file.fall,
			rise: file.rise,
		};
	return {
		kind: "nginx",
		...common,
		config: file.config ?? `/etc/nginx/conf.d/raftctl-${cluster}.conf`,
		main: file.main,
		pid: file.pid,
		keepAlive: file.keepAlive,
	};
}

/** What listens everywhere is reached at its host's address. */
function reachable(listen: string, address: string): string {
	const port = listen.slice(listen.lastIndexOf(":") + 1);
	if (!/^(\*|0\.0\.0\.0|\[::\]):/.test(listen)) return listen;
	return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** HAProxy learns from each node's own agent-check port that it drains. */
export function needsAgents(entry: BalancerEntry | null): boolean {
	return entry?.kind === "haproxy";
}

/** Every address that the balancer takes on a machine of the cluster file, and the key that says it. */
export function listening(entry: BalancerEntry | null): readonly {
	readonly host: string;
	readonly address: string;
	readonly key: "listen" | "admin";
}[] {
	switch (entry?.kind) {
		case "embedded":
			return (["listen", "admin"] as const).map((key) => ({
				...{ host: entry.host, address: entry[key], key },
			}));
		case "haproxy":
		case "nginx":
			return entry.hosts.map((host) => ({
				...{ host, address: entry.bind, key: "listen" },
			}));
		default:
			return [];
	}
}
