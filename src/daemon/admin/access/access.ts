import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { TLSSocket } from "node:tls";
import { type Role, roles } from "../../../wire/certificate-names.js";
import { nameText } from "../../tls/material.js";
import { certified } from "../../tls/verdict.js";
import { FailureLimit } from "./failure-limit.js";
import { needOf } from "./needs.js";
import type { Tokens } from "./tokens.js";

export interface AccessOptions {
	readonly clusterId: string;
	/** Whether callers come over TLS, and may show certificates. */
	readonly tls: boolean;
	/** Null where none are known. Without TLS and without tokens everybody may everything: on one machine. */
	readonly tokens: Pick<Tokens, "roleOf"> | null;
	/** Monotonic milliseconds. */
	readonly nowMs: () => number;
	/** A call was refused. */
	onRefused(reason: RefusedReason, message: string, remote: string): void;
}

export const refusedReasons = [
	"no-credentials",
	"token",
	"certificate",
	"role",
	"rate",
] as const;
type RefusedReason = (typeof refusedReasons)[number];

export interface AccessRefusal {
	readonly status: 401 | 403 | 429;
	readonly message: string;
	readonly retryAfterMs: number | null;
}

type Request = IncomingMessage | Http2ServerRequest;

/** Who may call what on the admin port. */
export class Access {
	/** Refused since the start. */
	readonly refused: Record<RefusedReason, number> = {
		"no-credentials": 0,
		token: 0,
		certificate: 0,
		role: 0,
		rate: 0,
	};
	readonly #options: AccessOptions;
	readonly #failures = new FailureLimit();

	constructor(options: AccessOptions) {
		this.#options = options;
	}

	/** Why the request is not answered; null when it is. */
	refuse(request: Request): AccessRefusal | null {
		const { tls, tokens } = this.#options;
		if (!tls && tokens === null) return null;
		const [path = ""] = (request.url ?? "/").split("?", 1);
		const need = needOf(path);
		if (need === null) return null;
		const token = bearer(request.headers.authorization);
		return token !== null && tokens !== null
			? this.#byToken(request, need, tokens.roleOf.bind(tokens, token))
			: this.#byCertificate(request, need);
	}

	#byToken(
		request: Request,
		need: Role,
		roleOf: () => Role | null,
	): AccessRefusal | null {
		const nowMs = this.#options.nowMs();
		const remote = remoteOf(request);
		const retryAfterMs = this.#failures.waitMs(remote, nowMs);
		if (retryAfterMs > 0)
			return this.#refusal(request, "rate", {
				message: "too many wrong tokens came from there",
				retryAfterMs,
			});
		const role = roleOf();
		if (role !== null) return this.#byRole(request, need, role);
		this.#failures.failed(remote, nowMs);
		return this.#refusal(request, "token", {
			message: "the token is not one that this node knows",
		});
	}

	#byCertificate(request: Request, need: Role): AccessRefusal | null {
		const { tls, clusterId } = this.#options;
		const caller = tls
			? certified(request.socket as TLSSocket)
			: ({ kind: "none" } as const);
		if (caller.kind === "none")
			return this.#refusal(request, "no-credentials", {
				message: tls
					? "this call needs a client certificate or a token"
					: "this call needs a token",
			});
		if (caller.kind === "refused")
			return this.#refusal(request, "certificate", {
				message: `the certificate that is shown is not accepted: ${caller.reason}`,
			});
		const { name } = caller;
		if (name?.kind === "role" && name.clusterId === clusterId)
			return this.#byRole(request, need, name.role);
		return this.#refusal(request, "certificate", {
			message: `the certificate that is shown is that of ${nameText(name)}; this call needs one of an operator of cluster ${clusterId}`,
		});
	}

	#byRole(request: Request, need: Role, role: Role): AccessRefusal | null {
		if (roles.indexOf(role) >= roles.indexOf(need)) return null;
		return this.#refusal(request, "role", {
			message: `this call needs the role ${need}, and the caller has ${role}`,
		});
	}

	#refusal(
		request: Request,
		reason: RefusedReason,
		told: { readonly message: string; readonly retryAfterMs?: number },
	): AccessRefusal {
		const { message, retryAfterMs = null } = told;
		this.refused[reason]++;
		this.#options.onRefused(reason, message, remoteOf(request));
		const status = reason === "role" ? 403 : reason === "rate" ? 429 : 401;
		return { status, message, retryAfterMs };
	}
}

function bearer(header: string | undefined): string | null {
	return /^Bearer +([!-~]{1,512})$/i.exec(header ?? "")?.[1] ?? null;
}

function remoteOf({ socket }: Request): string {
	return socket?.remoteAddress ?? "unknown";
}
