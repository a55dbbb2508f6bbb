import type { ClientChannel } from "ssh2";
import { OperatorError } from "../../errors.js";
import type {
	Fetched,
	Host,
	RunOptions,
	RunResult,
	SendOptions,
	Sent,
} from "../host.js";
import { type Command, type CommandOutput, execute } from "./command.js";
import { fetchFile } from "./fetching.js";
import { fullDiskThere } from "./full-disk.js";
import type { Link } from "./link.js";
import { readScript, uploadScript } from "./scripts.js";
import { sendFile } from "./sending.js";
import { writeAll } from "./writing.js";

const outputLimitBytes = 16 * 1024 * 1024;
/** Configurations, records and manifests; what may be larger is fetched. */
const readLimitBytes = 16 * 1024 * 1024;
/** For what has no limit of its own: a file as a whole. */
const fileTimeoutMs = 120_000;

interface SshHostOptions {
	readonly name: string;
	readonly link: Link;
	/** The account that things are done as; null for the one that logs in. */
	readonly account: string | null;
}

/** A machine behind SSH as a Host. */
export class SshHost implements Host {
	readonly name: string;
	readonly #link: Link;
	readonly #account: string | null;

	constructor({ name, link, account }: SshHostOptions) {
		this.name = name;
		this.#link = link;
		this.#account = account;
	}

	async run(argv: readonly string[], options: RunOptions): Promise<RunResult> {
		const { stdin, holdsStdin, timeoutMs, signal } = options;
		// Nothing is written and nothing ended: it stays open until sshd finds the connection gone.
		const held = holdsStdin ? { feed: async () => undefined } : {};
		const { exitCode, stdout, stderr } = await this.#execute({
			...{ argv, timeoutMs, outputLimitBytes },
			...(signal === undefined ? {} : { signal }),
			...(stdin === undefined ? held : { feed: feedOf(stdin) }),
		});
		return {
			exitCode,
			stdout: stdout.toString("utf8"),
			stderr: stderr.toString("utf8"),
		};
	}

	async upload(path: string, content: Uint8Array, mode: number): Promise<void> {
		const result = await this.#execute({
			argv: uploadScript(path, mode, content.length),
			...{ timeoutMs: fileTimeoutMs, outputLimitBytes },
			feed: feedOf(content),
		});
		if (result.exitCode === 0) return;
		const target = this.#target();
		const full = await fullDiskThere(target, path, said(result));
		throw full ?? this.#fileFailure("write", path, result);
	}

	async read(path: string): Promise<Uint8Array | null> {
		const result = await this.#execute({
			argv: readScript(path),
			...{ timeoutMs: fileTimeoutMs, outputLimitBytes: readLimitBytes },
		});
		if (result.exitCode === 0) return result.stdout;
		if (result.exitCode === readScript.absent) return null;
		throw this.#fileFailure("read", path, result);
	}

	send(
		path: string,
		source: string,
		mode: number,
		options: SendOptions = {},
	): Promise<Sent> {
		return sendFile(this.#target(), { path, source, mode, ...options });
	}

	fetch(
		path: string,
		target: string,
		options: SendOptions = {},
	): Promise<Fetched | null> {
		return fetchFile(this.#target(), { path, target, ...options });
	}

	#target() {
		const { name } = this;
		return {
			name,
			execute: (command: Omit<Command, "prefix">) => this.#execute(command),
		};
	}

	/** Connects now, so that whoever asks several hosts learns early which are not there. */
	async reach(): Promise<void> {
		await this.#link.connection();
	}

	/** Connections belong to all hosts together and end with them. */
	async close(): Promise<void> {}

	async #execute(command: Omit<Command, "prefix">): Promise<CommandOutput> {
		const { destination } = await this.#link.connection();
		const prefix = prefixFor(this.#account, destination.user);
		return execute(this.#link, { ...command, prefix });
	}

	#fileFailure(
		verb: string,
		path: string,
		result: CommandOutput,
	): OperatorError {
		const why = said(result).split("\n").at(-1);
		return new OperatorError(
			"unexpected",
			`could not ${verb} ${path}: ${why || `exit code ${result.exitCode}`}`,
			{
				node: this.name,
				state: "what was there before is still there",
			},
		);
	}
}

function said({ stderr }: CommandOutput): string {
	return stderr.toString("utf8").trim();
}

/** Root needs no permission, and perhaps has no sudo. */
function prefixFor(account: string | null, user: string): readonly string[] {
	if (account === null || account === user) return [];
	return user === "root"
		? ["runuser", "-u", account, "--"]
		: ["sudo", "-n", "-u", account, "--"];
}

function feedOf(content: Uint8Array) {
	return (channel: ClientChannel, signal: AbortSignal) =>
		writeAll(channel, [content], signal);
}
