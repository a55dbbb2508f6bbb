import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Health } from "../../wire/gen/grpc/health/v1/health_pb.js";
import { AdminService } from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { EventLoopView } from "../event-loop.js";
import { answerRefusal } from "./access/refusal-answer.js";
import { grpcHealth } from "./grpc-health.js";
import { legibleMessages } from "./grpc-message.js";
import { openListener } from "./listener.js";
import { type ProbeAnswer, probe } from "./probes.js";
import { adminService } from "./service.js";
import { snapshotFiles } from "./snapshot-files.js";
import type { AdminSubject } from "./subject.js";

/**
 * The admin port: raftctl.admin.v1 and grpc.health.v1 as gRPC, Connect and JSON over HTTP; /livez, /readyz,
 * /metrics, and the files of its snapshots. Never on the path of data.
 */
export async function startAdminServer(
	options: AdminServerOptions,
): Promise<AdminServer> {
	const { subject, address, eventLoop } = options;
	const closing = new AbortController();
	const files = snapshotFiles({
		node: subject.identity.nodeId,
		snapshots: subject.snapshots,
		onFailure: options.onInternalError,
	});
	const handler = connectNodeAdapter({
		routes(router) {
			router.service(AdminService, adminService(subject));
			router.service(Health, grpcHealth(subject.health, closing.signal));
		},
		readMaxBytes: requestBytesMax,
		// A misspelt field would be left out in silence, and its default be done instead.
		jsonOptions: { ignoreUnknownFields: false },
		interceptors: [reporting(options.onInternalError)],
		fallback(request, response) {
			if (files(request, response)) return;
			const answer = readable(request.method)
				? (probe(request.url ?? "/", subject, eventLoop) ?? notFound)
				: notFound;
			response.writeHead(answer.status, answer.headers);
			response.end(request.method === "HEAD" ? "" : answer.body);
		},
	});
	const listener = await openListener({
		address,
		key: "listen.admin",
		credentials: subject.security.credentials,
		handler: (request, response) => {
			const refusal = subject.security.access.refuse(request);
			if (refusal !== null) {
				answerRefusal(request, response, refusal);
				return;
			}
			legibleMessages(response);
			handler(request, response);
		},
	});
	return {
		async close() {
			closing.abort();
			await listener.close();
		},
	};
}

interface AdminServerOptions {
	/** host:port */
	readonly address: string;
	readonly subject: AdminSubject;
	readonly eventLoop: () => EventLoopView;
	/** A method threw something that is not an answer: a bug, to be logged. */
	onInternalError(method: string, error: unknown): void;
}

export interface AdminServer {
	close(): Promise<void>;
}

/** The largest sound request has an operation's record: JSON within JSON is twice as long. */
const requestBytesMax = 64 * 1024;

const notFound: ProbeAnswer = {
	status: 404,
	headers: { "content-type": "text/plain; charset=utf-8" },
	body: "not here; there are /livez, /readyz, /metrics, /snapshots and POST /raftctl.admin.v1.AdminService/<Method>\n",
};

function readable(method: string | undefined): boolean {
	return method === "GET" || method === "HEAD";
}

function reporting(
	onInternalError: AdminServerOptions["onInternalError"],
): Interceptor {
	return (next) => async (request) => {
		try {
			return await next(request);
		} catch (error) {
			if (!(error instanceof ConnectError))
				onInternalError(request.method.name, error);
			throw error;
		}
	};
}
