import type { Balancer } from "../../src/balancers/balancer.js";
import { OperatorError } from "../../src/errors.js";
import type { FakeCluster } from "./fake-cluster.js";

export interface FakeBalancer extends Balancer {
	gone: boolean;
	/** Sends new connections to nodes that announced their drain. */
	deaf: boolean;
	readonly preferences: (readonly string[])[];
}

const reactionMs = 200;

/** A balancer that sees the nodes' words `reactionMs` later. */
export function fakeBalancer(cluster: FakeCluster): FakeBalancer {
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
		async backends() {
			requireThere();
			return [...cluster.nodes.keys()].map((node) => {
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
		close: async () => undefined,
	};
	return balancer;
}
