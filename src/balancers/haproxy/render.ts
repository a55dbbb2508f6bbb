import type {
	HaproxyBalancerEntry,
	Inventory,
	NodeEntry,
} from "../../config/inventory.js";
import { splitAddress } from "../address.js";
import { leaseKey, leaseMs, sectionNames } from "./names.js";
import { checkTimeoutMs, reactionMsOf } from "./timing.js";

/**
 * The cluster's part of haproxy.cfg, without the marks around it. It has defaults of its own, so that none of the rest of the
 * file reach in: no cookie, no slowstart, no sessions ended when a node goes down.
 */
export function renderSection(
	{ name, nodes }: Pick<Inventory, "name" | "nodes">,
	entry: HaproxyBalancerEntry,
): string {
	return [
		...defaults(name, entry),
		"",
		...frontend(name, entry),
		"",
		...mainBackend(name, entry, nodes),
		"",
		...movedBackend(name, nodes),
		"",
		...leaseTable(name),
		"",
	].join("\n");
}

function defaults(cluster: string, entry: HaproxyBalancerEntry): string[] {
	return [
		`# A node's word is acted on within ${reactionMsOf(entry)} ms.`,
		`defaults ${sectionNames(cluster).main}`,
		"    mode http",
		"    log global",
		"    option httplog",
		"    option forwardfor",
		"    timeout connect 1s",
		"    timeout client 1m",
		"    timeout server 1m",
		"    timeout http-request 10s",
		"    # Longer than raftd tells clients to keep an idle connection.",
		"    timeout http-keep-alive 80s",
		"    timeout queue 5s",
		"    # WebSockets and streams: raftd itself notices when nobody is there any more.",
		"    timeout tunnel 1d",
		`    timeout check ${checkTimeoutMs}ms`,
		"    # Only what never reached a node is tried at another one: a write is not sent twice.",
		"    retries 3",
		"    retry-on conn-failure",
		"    option redispatch 1",
	];
}

function frontend(cluster: string, { bind }: HaproxyBalancerEntry): string[] {
	const { main, moved, lease } = sectionNames(cluster);
	return [
		`frontend ${main} from ${main}`,
		`    bind ${bind}`,
		"    # While an operator steers, WebSockets and streams go to nodes that will not move them again. Requests go anywhere.",
		`    use_backend ${moved} if { req.hdr(upgrade) -m found } { str(${leaseKey}),in_table(${lease}) } { nbsrv(${moved}) gt 0 }`,
		`    default_backend ${main}`,
	];
}

function mainBackend(
	cluster: string,
	{ checkIntervalMs, fall, rise }: HaproxyBalancerEntry,
	nodes: readonly NodeEntry[],
): string[] {
	const { main } = sectionNames(cluster);
	return [
		`backend ${main} from ${main}`,
		"    balance leastconn",
		"    # The agent says ready, drain or down. The check finds what does not answer; to it a drain is no fault, for what is",
		"    # connected goes on.",
		"    option httpchk",
		"    http-check send meth GET uri /readyz ver HTTP/1.1 hdr host raftd",
		"    http-check expect hdr name raftd-state value -m reg '^(ready|draining)$'",
		`    default-server inter ${checkIntervalMs}ms fall ${fall} rise ${rise} agent-check agent-inter ${checkIntervalMs}ms init-addr last,libc,none`,
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

function movedBackend(cluster: string, nodes: readonly NodeEntry[]): string[] {
	const { main, moved } = sectionNames(cluster);
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

function leaseTable(cluster: string): string[] {
	const { main, lease } = sectionNames(cluster);
	return [
		`backend ${lease} from ${main}`,
		"    # One entry, renewed by the operator; when that dies, it expires and what was steered is free again.",
		`    stick-table type string len 16 size 16 expire ${leaseMs}ms`,
	];
}
