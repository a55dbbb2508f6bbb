import type { BackendStatus } from "./balancer.js";

export interface HostView {
	readonly host: string;
	readonly backends: readonly BackendStatus[];
}

/**
 * Several hosts' views as one. A node gets new connections when one host sends it some, and is up only when all do: whoever
 * drains it waits for the last of them, and so does whoever takes it back. Pure.
 */
export function oneView(views: readonly HostView[]): readonly BackendStatus[] {
	const [only] = views;
	if (only !== undefined && views.length === 1) return only.backends;
	const nodes = new Set(
		views.flatMap(({ backends }) => backends.map(({ node }) => node)),
	);
	return [...nodes].map((node) => merged(node, views));
}

function merged(node: string, views: readonly HostView[]): BackendStatus {
	const told = views.map(({ host, backends }) => ({
		host,
		status: backends.find((one) => one.node === node) ?? unknown(node),
	}));
	const statuses = told.map(({ status }) => status);
	const others = told.filter(({ status }) => !status.admitting);
	const admitting = others.length < told.length;
	const state = (["down", "drain", "up"] as const).find((one) =>
		statuses.some(({ state }) => state === one),
	);
	const why = others
		.map(({ host, status }) => `${host}: ${status.reason}`)
		.join("; ");
	return {
		node,
		admitting,
		state: state ?? "down",
		connections: statuses.reduce((sum, one) => sum + one.connections, 0),
		reason: why,
		...(admitting && others.length > 0 ? { disagreement: why } : {}),
	};
}

function unknown(node: string): BackendStatus {
	return {
		node,
		admitting: false,
		state: "down",
		connections: 0,
		reason: "its configuration does not have it",
	};
}
