import type { Inventory, NginxBalancerEntry } from "../../config/inventory.js";

/** What the nodes' own words cannot tell nginx, which does not ask them: it stands in the file. */
export interface Steering {
	/** They get nothing new. */
	readonly withdrawn: readonly string[];
	/** WebSockets and streams go to these first; empty for no preference. */
	readonly preferred: readonly string[];
}

export const noSteering: Steering = { withdrawn: [], preferred: [] };

/** The file of raftctl's own that nginx includes within http. */
export function renderFile(
	{ name, nodes }: Pick<Inventory, "name" | "nodes">,
	{ bind, keepAlive }: NginxBalancerEntry,
	{ withdrawn, preferred }: Steering,
): string {
	const [main, moved] = [`raftctl-${name}`, `raftctl-${name}-moved`];
	// Names of variables have letters, digits and underscores.
	const variable = `raftctl_${name.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
	const serves = (id: string) => !withdrawn.includes(id);
	const favoured = nodes.filter(
		({ id }) => preferred.includes(id) && serves(id),
	);
	const line = ({ id, client }: { id: string; client: string }, end = "") =>
		`    server ${client} max_fails=1 fail_timeout=1s${serves(id) ? end : " down"}; # ${id}`;
	const upstream = (title: string, lines: readonly string[]) => [
		`upstream ${title} {`,
		`    zone ${title} 128k;`,
		"    least_conn;",
		...lines,
	];
	return [
		`# Written by raftctl for ${name}; changes in here are lost.`,
		`${withdrawnMark} ${withdrawn.join(" ")}`.trimEnd(),
		`${preferredMark} ${preferred.join(" ")}`.trimEnd(),
		...upstream(
			main,
			nodes.map((node) => line(node)),
		),
		"    keepalive 32;",
		"}",
		"",
		"# While an operator steers, WebSockets and streams go to nodes that will not move them again.",
		...upstream(
			moved,
			nodes.map((node) =>
				line(
					node,
					favoured.length === 0 || favoured.includes(node) ? "" : " backup",
				),
			),
		),
		"}",
		"",
		`map $http_upgrade $${variable}_upstream {`,
		`    default ${main};`,
		`    "~." ${moved};`,
		"}",
		"",
		`map $http_upgrade $${variable}_connection {`,
		'    default "";',
		'    "~." upgrade;',
		"}",
		"",
		"server {",
		`    listen ${bind};`,
		...(keepAlive ? [] : noKeepAlive),
		"    client_max_body_size 8m;",
		"    location / {",
		`        proxy_pass http://$${variable}_upstream;`,
		"        proxy_http_version 1.1;",
		"        proxy_set_header Host $host;",
		"        proxy_set_header Upgrade $http_upgrade;",
		`        proxy_set_header Connection $${variable}_connection;`,
		"        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
		"        # Only what never reached a node is tried at another one: a write is not sent twice.",
		"        proxy_next_upstream error timeout;",
		"        proxy_connect_timeout 1s;",
		"        proxy_buffering off;",
		"        # WebSockets and streams: raftd itself notices when nobody is there any more.",
		"        proxy_read_timeout 1d;",
		"        proxy_send_timeout 1d;",
		"    }",
		"}",
		"",
	].join("\n");
}

const noKeepAlive = [
	"    # At a reload nginx closes connections that seem idle, and what a client sends just then is lost. So each answer ends",
	"    # its connection.",
	"    keepalive_timeout 0;",
];

const withdrawnMark = "# withdrawn:";
const preferredMark = "# preferred:";

/** The steering that a file was rendered with; null for a file that is not raftctl's. */
export function steeringIn(text: string): Steering | null {
	const names = (mark: string) => {
		const line = text.split("\n").find((one) => one.startsWith(mark));
		return line === undefined
			? null
			: line
					.slice(mark.length)
					.split(" ")
					.filter((name) => name !== "");
	};
	const [withdrawn, preferred] = [names(withdrawnMark), names(preferredMark)];
	return withdrawn === null || preferred === null
		? null
		: { withdrawn, preferred };
}
