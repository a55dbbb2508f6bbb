import type { EventLoopView } from "../event-loop.js";
import type { Check } from "../health.js";
import { metricsText } from "./metrics.js";
import type { AdminSubject } from "./subject.js";

/**
 * Answers /livez, /readyz, their sub-paths and /metrics; null for any other path. `url` is the request's target.
 */
export function probe(
	url: string,
	subject: AdminSubject,
	eventLoop: () => EventLoopView,
): ProbeAnswer | null {
	// Not `new URL`: it throws on targets that anyone may send.
	const [path = "", query = ""] = url.split("?", 2);
	const verbose = new URLSearchParams(query).has("verbose");
	const [, root, name, ...rest] = path.split("/");
	if (rest.length > 0) return null;
	if (root === "livez")
		return checksAnswer({ checks: subject.health.live(), name, verbose });
	if (root === "readyz") {
		const answer = checksAnswer({
			checks: subject.health.ready(),
			name,
			verbose,
		});
		return {
			...answer,
			headers: { ...answer.headers, "raftd-state": subject.health.state() },
		};
	}
	if (root === "metrics" && name === undefined) {
		return {
			status: 200,
			headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
			body: metricsText(subject, eventLoop()),
		};
	}
	return null;
}

export interface ProbeAnswer {
	readonly status: 200 | 404 | 503;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
}

const headers = {
	"content-type": "text/plain; charset=utf-8",
	"cache-control": "no-store",
};

// The style of Kubernetes and etcd: people and their tools already read it.
function checksAnswer(asked: {
	checks: readonly Check[];
	name: string | undefined;
	verbose: boolean;
}): ProbeAnswer {
	const { name, verbose } = asked;
	const checks =
		name === undefined || name === ""
			? asked.checks
			: asked.checks.filter((check) => check.name === name);
	if (checks.length === 0) {
		const known = asked.checks.map((check) => check.name).join(", ");
		return {
			status: 404,
			headers,
			body: `no check ${name}; there are ${known}\n`,
		};
	}
	const ok = checks.every((check) => check.ok);
	const lines = checks.map((check) =>
		check.ok
			? `[+]${check.name} ok`
			: `[-]${check.name} failed: ${check.reason}`,
	);
	const body =
		ok && !verbose ? "ok\n" : `${lines.join("\n")}\n${ok ? "ok" : "failed"}\n`;
	return { status: ok ? 200 : 503, headers, body };
}
