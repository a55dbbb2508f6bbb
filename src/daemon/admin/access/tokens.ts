import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { OperatorError, reasonOf } from "../../../errors.js";
import { isRole, type Role } from "../../../wire/certificate-names.js";
import { WatchedFiles } from "../../tls/watched-files.js";

interface TokensOptions {
	/** Absolute. */
	readonly path: string;
	/** What lies there cannot be used; those that were read before still hold. */
	onFault(sentence: string): void;
}

/**
 * Who may call without a certificate: lines of a role and the SHA-256 of a token. The tokens themselves are in no file of
 * the node, and a digest of something that random tells nobody anything.
 */
export class Tokens {
	readonly #options: TokensOptions;
	readonly #watch: WatchedFiles;
	#roles: ReadonlyMap<string, Role>;

	/** Throws OperatorError "refused" when the file cannot be used. */
	constructor(options: TokensOptions) {
		this.#options = options;
		this.#watch = new WatchedFiles([options.path], () => this.reload());
		try {
			this.#roles = readTokens(options.path);
		} catch (error) {
			this.#watch.close();
			throw error;
		}
	}

	/** Null for a token that is not known. */
	roleOf(token: string): Role | null {
		const digest = createHash("sha256").update(token).digest("hex");
		return this.#roles.get(digest) ?? null;
	}

	reload(): void {
		try {
			this.#roles = readTokens(this.#options.path);
		} catch (error) {
			this.#options.onFault(reasonOf(error));
		}
	}

	close(): void {
		this.#watch.close();
	}
}

const maxTokens = 1_000;
const pattern = /^(\S+)\s+sha256:([0-9a-fA-F]{64})(\s.*)?$/;

function readTokens(path: string): ReadonlyMap<string, Role> {
	let text: string;
	try {
		text = readFileSync(path, "utf8");
	} catch (cause) {
		throw unusable(path, reasonOf(cause));
	}
	const roles = new Map<string, Role>();
	for (const [at, line] of text.split("\n").entries()) {
		if (/^\s*(#|$)/.test(line)) continue;
		const [, role = "", digest = ""] = pattern.exec(line.trim()) ?? [];
		if (!isRole(role))
			throw unusable(
				`${path}:${at + 1}`,
				"a line is a role (observer, operator, admin), sha256: and the token's digest of 64 hexadecimal digits",
			);
		roles.set(digest.toLowerCase(), role);
		if (roles.size > maxTokens)
			throw unusable(path, `it has more than ${maxTokens} tokens`);
	}
	return roles;
}

function unusable(place: string, reason: string): OperatorError {
	return new OperatorError("refused", `${place} cannot be used: ${reason}`, {
		next: "mend the file of admin.tokens; docs/raftd.md has an example",
	});
}
