import type {
	HaproxyBalancerEntry,
	Inventory,
	NodeEntry,
} from "../../config/inventory.js";
import { splitAddress } from "../address.js";
import { leaseKey, leaseMs, sectionNames } from "./names.js";
import { checkTimeoutMs, reactionMsOf } from "./timing.js";

type Rendered = Pick<Inventory, "name" | "nodes" | "tls">;

/**
 * The cluster's part of haproxy.cfg, without the marks around it. It has defaults of its own, so that none of the rest of the
 * file reach in: no cookie, no slowstart, no sessions ended when a node goes down. With TLS it passes bytes on: who speaks
 * to whom is for clients and nodes to see.
 */
export function renderSection(
	inventory: Rendered,
	entry: HaproxyBalancerEntry,
): string {
	return [
		...defaults(inventory, entry),
		"",
		...frontend(inventory, entry),
		"",
		...mainBackend(inventory, entry),
		"",
		...movedBackend(inventory),
		"",
		...leaseTable(inventory),
		"",
	].join("\n");
}

function defaults({ name, tls }: Rendered, entry: HaproxyBalancerEntry) {
	return [
		`# A node's word is acted on within ${reactionMsOf(entry)} ms.`,
		`defaults ${sectionNames(name).main}`,
		...(tls === null ? httpMode : tcpMode),
		"    log global",
		"    timeout connect 1s",
		"    timeout client 1m",
		"    timeout server 1m",
		"    timeout queue 5s",
		"    # WebSockets and streams: raftd itself notices when nobody is there any more.",
		"    timeout tunnel 1d",
		`    timeout check ${checkTimeoutMs}ms`,
		"    # Only what never reached a node is tried at another one: a write is not sent twice.",
		"    retries 3",
		"    option redispatch 1",
	];
}

const httpMode = [
	"    mode http",
	"    option httplog",
	"    option forwardfor",
	"    timeout http-request 10s",
	"    # Longer than raftd tells clients to keep an idle connection.",
	"    timeout http-keep-alive 80s",
	"    # A reload lets a connection that is idle go with its next answer, and does not cut off a request that comes just then.",
	"    option idle-close-on-response",
	"    retry-on conn-failure",
];

const tcpMode = ["    mode tcp", "    option tcplog"];

function frontend({ name, tls }: Rendered, { bind }: HaproxyBalancerEntry) {
	const { main, moved, lease } = sectionNames(name);
	const steered = `{ str(${leaseKey}),in_table(${lease}) } { nbsrv(${moved}) gt 0 }`;
	return [
		`frontend ${main} from ${main}`,
		`    bind ${bind}`,
		...(tls === null
			? [
					"    # While an operator steers, WebSockets and streams go to nodes that will not move them again. Requests go anywhere.",
					`    use_backend ${moved} if { req.hdr(upgrade) -m found } ${steered}`,
				]
			: [
					"    # While an operator steers, connections go to nodes that will not move them again.",
					`    use_backend ${moved} if ${steered}`,
				]),
		`    default_backend ${main}`,
	];
}

function mainBackend(
	{ name, nodes, tls }: Rendered,
	{ checkIntervalMs, fall, rise }: HaproxyBalancerEntry,
) {
	const { main } = sectionNames(name);
	// The agent's port and the nodes' certificates are for others to judge: this finds what does not answer.
	const checked = tls === null ? "" : " check-ssl verify none";
	return [
		`backend ${main} from ${main}`,
		"    balance leastconn",
		"    # The agent says ready, drain or down. The check finds what does not answer; to it a drain is no fault, for what is",
		"    # connected goes on.",
		"    option httpchk",
		"    http-check send meth GET uri /readyz ver HTTP/1.1 hdr host raftd",
		"    http-check expect hdr name raftd-state value -m reg '^(ready|draining)$'",
		`    default-server inter ${checkIntervalMs}ms fall ${fall} rise ${rise}${checked} agent-check agent-inter ${checkIntervalMs}ms init-addr last,libc,none`,
		...nodes.map(
			(node) => `    server ${node.id} ${node.client} ${checksOf(node)}`,
		),
	];
}

/** Where a node is asked, as far as it is not where it serves. */
function checksOf({ client, admin, agent }: NodeEntry): string {
	const own = splitAddress(client).host;
	const check = splitAddress(admin);
	const said = [
		"check",
		...(check.host === own ? [] : [`addr ${check.host}`]),
		`port ${check.port}`,
	];
	if (agent === null) return said.join(" ");
	const { host, port } = splitAddress(agent);
	if (host !== own) said.push(`agent-addr ${host}`);
	return [...said, `agent-port ${port}`].join(" ");
}

function movedBackend({ name, nodes }: Rendered) {
	const { main, moved } = sectionNames(name);
	return [
		`backend ${moved} from ${main}`,
		"    balance leastconn",
		"    # The operator gives those a weight that it has restarted. Without an operator nobody comes here.",
		...nodes.map(
			({ id, client }) =>
				`    server ${id} ${client} track ${main}/${id} weight 0 init-addr last,libc,none`,
		),
	];
}

function leaseTable({ name }: Rendered) {
	const { main, lease } = sectionNames(name);
	return [
		`backend ${lease} from ${main}`,
		"    # One entry, renewed by the operator; when that dies, it expires and what was steered is free again.",
		`    stick-table type string len 16 size 16 expire ${leaseMs}ms`,
	];
}
