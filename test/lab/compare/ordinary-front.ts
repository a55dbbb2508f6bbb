import type { Lab } from "../lab.js";
import { balancerHost } from "../names.js";
import { inside } from "./inside.js";

export interface FrontNode {
	readonly id: string;
	/** host:port of what takes requests. */
	readonly client: string;
	/** Of what answers the check. */
	readonly checkPort: number;
}

/**
 * HAProxy as its guides have it: a check over HTTP, and the socket to drain by. Times and retries are those of
 * `raftctl balancer render`; what is missing is what only raftctl speaks, agents and the preference for nodes that are
 * restarted already. An agent would take back at once what a script says on the socket.
 */
export function ordinaryFront(
	nodes: readonly FrontNode[],
	checkPath: string,
): string {
	const servers = nodes.map(
		({ id, client, checkPort }) =>
			`    server ${id} ${client} check port ${checkPort}`,
	);
	return `global
    log /dev/log local0
    user haproxy
    group haproxy
    stats socket /run/haproxy/admin.sock mode 660 level admin group haproxy
defaults
    mode http
    option redispatch 1
    option idle-close-on-response
    retries 3
    retry-on conn-failure
    timeout http-request 10s
    timeout http-keep-alive 80s
    timeout queue 5s
    timeout connect 1s
    timeout client 1m
    timeout server 1m
    timeout tunnel 1d
    timeout check 1000ms
frontend front
    bind *:8080
    default_backend nodes
backend nodes
    balance leastconn
    option httpchk GET ${checkPath}
    default-server inter 500ms fall 2 rise 1
${servers.join("\n")}
`;
}

/** Puts it in the place of what is there. */
export async function installFront(lab: Lab, text: string): Promise<void> {
	await inside(lab, balancerHost, ["tee", "/etc/haproxy/haproxy.cfg"], {
		stdin: text,
	});
	await lab.haproxy("restart");
}

/** What a script types into the socket. */
export async function setState(
	lab: Lab,
	node: string,
	state: "drain" | "ready",
): Promise<void> {
	await inside(lab, balancerHost, ["socat", "-", "/run/haproxy/admin.sock"], {
		stdin: `set server nodes/${node} state ${state}\n`,
	});
}
