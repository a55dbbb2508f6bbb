import { afterEach } from "vitest";
import type { RaftClient } from "../../src/client/index.js";
import {
	type ClientApi,
	startClientApi,
} from "../../src/daemon/api/client-api.js";
import type { ApiLimits } from "../../src/daemon/api/context.js";
import { kv } from "../../src/machines/kv/machine.js";
import { type Cut, CuttingProxy } from "../fakes/cutting-proxy.js";
import { FakeReplica } from "../fakes/fake-replica.js";

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
	for (const clean of cleanups.splice(0).reverse()) await clean();
});

/** To be done after the test. */
export function whenDone(clean: () => Promise<unknown>): void {
	cleanups.push(clean);
}

/** Client ports, one for each node, before one replicated machine. */
export async function serving(
	nodes: number,
	options: { limits?: Partial<ApiLimits>; maxEvents?: number } = {},
) {
	const { limits = {}, maxEvents } = options;
	const replica = new FakeReplica(
		kv,
		maxEvents === undefined ? {} : { maxEvents },
	);
	const apis: ClientApi[] = [];
	for (let i = 1; i <= nodes; i++) {
		const api = await startClientApi({
			replica,
			machine: kv,
			listen: "127.0.0.1:0",
			nodeId: `n${i}`,
			limits: {
				closeTimeoutMs: 100,
				idleBeforeCloseMs: 100,
				progressIntervalMs: 20,
				...limits,
			},
		});
		apis.push(api);
		cleanups.push(() => {
			replica.release();
			return api.close();
		});
	}
	const endpoints = apis.map(({ port }) => `127.0.0.1:${port}`);
	return { replica, apis, endpoints };
}

/** A network that breaks, before `target`. */
export async function cutting(
	target: string,
	cuts: readonly Cut[] = [],
): Promise<CuttingProxy> {
	const proxy = await new CuttingProxy(target, cuts).start();
	cleanups.push(() => proxy.stop());
	return proxy;
}

/** Closes it after the test. */
export function kept<Client extends Pick<RaftClient, "close">>(
	client: Client,
): Client {
	cleanups.push(() => client.close());
	return client;
}
