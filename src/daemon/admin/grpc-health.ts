import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
	type Health,
	HealthCheckResponse_ServingStatus as Serving,
} from "../../wire/gen/grpc/health/v1/health_pb.js";
import type { HealthMonitor } from "../health-monitor.js";

/** grpc.health.v1 says the same as /readyz. `closing` ends the watches, so that the server can close. */
export function grpcHealth(
	health: HealthMonitor,
	closing: AbortSignal,
): ServiceImpl<typeof Health> {
	let watches = 0;
	const status = () =>
		health.state() === "ready" ? Serving.SERVING : Serving.NOT_SERVING;
	return {
		check({ service }) {
			if (!services.has(service)) {
				throw new ConnectError(
					`unknown service ${JSON.stringify(service)}`,
					Code.NotFound,
				);
			}
			return { status: status() };
		},
		async *watch({ service }, context) {
			if (watches >= watchesMax) {
				throw new ConnectError(
					`more than ${watchesMax} watches`,
					Code.ResourceExhausted,
				);
			}
			watches++;
			const ended = AbortSignal.any([context.signal, closing]);
			try {
				if (services.has(service)) yield* statuses(health, status, ended);
				else yield* unknownService(ended);
			} finally {
				watches--;
			}
		},
	};
}

/** "" asks for the server as a whole. */
const services = new Set(["", "raftd", "raftctl.admin.v1.AdminService"]);

const watchesMax = 64;

async function* statuses(
	health: HealthMonitor,
	status: () => Serving,
	ended: AbortSignal,
) {
	let wake = () => {};
	const stop = health.onChange(() => wake());
	const onEnd = () => wake();
	ended.addEventListener("abort", onEnd);
	let last: Serving | null = null;
	try {
		while (!ended.aborted) {
			const woken = new Promise<void>((resolve) => {
				wake = resolve;
			});
			const now = status();
			if (now !== last) {
				last = now;
				yield { status: now };
			}
			if (!ended.aborted) await woken;
		}
	} finally {
		stop();
		ended.removeEventListener("abort", onEnd);
	}
}

// The protocol asks to keep the stream open: the service might be added later.
async function* unknownService(ended: AbortSignal) {
	yield { status: Serving.SERVICE_UNKNOWN };
	if (ended.aborted) return;
	await new Promise((resolve) =>
		ended.addEventListener("abort", resolve, { once: true }),
	);
}
