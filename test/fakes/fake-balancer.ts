import type { Balancer } from "../../src/balancers/balancer.js";
import { OperatorError } from "../../src/errors.js";
import type { FakeCluster } from "./fake-cluster.js";

export interface FakeBalancer extends Balancer {
	gone: boolean;
	/** Sends new connections to nodes that announced their drain. */
	deaf: boolean;
	readonly preferences: (readonly string[])[];
	/** How often it was told to read its configuration again. */
	reloads: number;
}

const reactionMs = 200;

/** A balancer that sees the nodes' words `reactionMs` later; `configured` are the nodes of its configuration. */
export function fakeBalancer(
	cluster: FakeCluster,
	configured: () => readonly string[] | null = () => null,
): FakeBalancer {
	let known: readonly string[] = [...cluster.nodes.keys()];
	const seen = new Map<string, { drains: boolean; sinceMs: number }>();
	const drains = (id: string): boolean => {
		const now = cluster.clock.now();
		const says = cluster.isDraining(id);
		const known = seen.get(id) ?? { drains: false, sinceMs: now };
		if (known.drains === says) {
			seen.set(id, { drains: says, sinceMs: now });
			return says;
		}
		if (now - known.sinceMs < reactionMs) {
			seen.set(id, known);
			return known.drains;
		}
		seen.set(id, { drains: says, sinceMs: now });
		return says;
	};
	const requireThere = (): void => {
		if (balancer.gone)
			throw new OperatorError("unreachable", "the balancer does not answer");
	};
	const balancer: FakeBalancer = {
		kind: "fake",
		reactionMs,
		gone: false,
		deaf: false,
		preferences: [],
		reloads: 0,
		async backends() {
			requireThere();
			return known.map((node) => {
				const ready = cluster.isReady(node);
				const draining = !balancer.deaf && drains(node);
				return {
					node,
					admitting: ready && !draining,
					state: !ready ? "down" : draining ? "drain" : "up",
					connections: cluster.at(node).length,
					reason: ready ? "" : "not ready",
				};
			});
		},
		async prefer(nodes) {
			requireThere();
			cluster.preferred = nodes;
			balancer.preferences.push(nodes);
		},
		async reload() {
			requireThere();
			balancer.reloads += 1;
			known = configured() ?? known;
		},
		close: async () => undefined,
	};
	return balancer;
}
