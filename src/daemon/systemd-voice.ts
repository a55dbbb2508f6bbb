import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";

/** Says lines to systemd, each a message of its own. */
export interface Voice {
	/** Says the opening. */
	open(): void;
	/** Costs a write to a pipe. Never throws, never waits. */
	say(line: string): void;
	/** What was said is still told; the child ends then. */
	close(): void;
}

interface VoiceOptions {
	/** NOTIFY_SOCKET: a path, or @ and an abstract name. */
	readonly socket: string;
	/** As in PATH. */
	readonly path: string | undefined;
	/** What is said first by each new child. */
	opening(): readonly string[];
	onFailure(error: Error): void;
}

/**
 * Node.js has no datagram sockets of the unix kind. A child has: it sends on each line that comes in, and by itself says
 * nothing. perl, which every Debian has, does so without a process for each line; where there is none, systemd-notify
 * does. It ends with its input, so it cannot outlive the daemon, killed or not, and signals to the whole group are not
 * its business: systemd's SIGTERM must not silence who has yet to say that it stops.
 */
const speaker = `trap '' HUP INT TERM
perl -MSocket -e 1 2>/dev/null && exec perl -MSocket -e "$1"
while IFS= read -r line; do
	systemd-notify -- "$line" < /dev/null || exit 1
done`;

const perlSpeaker = `(my $name = $ENV{NOTIFY_SOCKET}) =~ s/^@/\\0/;
socket(my $out, AF_UNIX, SOCK_DGRAM, 0) or die "no socket: $!\\n";
connect($out, pack_sockaddr_un($name)) or die "$ENV{NOTIFY_SOCKET}: $!\\n";
while (defined(my $line = <STDIN>)) {
	chomp $line;
	defined(send($out, $line, 0)) or die "$ENV{NOTIFY_SOCKET}: $!\\n";
}`;

const failureBytes = 4096;

export function openVoice(options: VoiceOptions): Voice {
	return new ChildVoice(options);
}

class ChildVoice implements Voice {
	readonly #options: VoiceOptions;
	#child: ChildProcess | null = null;
	#isClosed = false;

	constructor(options: VoiceOptions) {
		this.#options = options;
	}

	open(): void {
		if (this.#child === null && !this.#isClosed) this.#begin();
	}

	say(line: string): void {
		this.open();
		this.#write(line);
	}

	close(): void {
		this.#isClosed = true;
		this.#child?.stdin?.end();
	}

	#write(line: string): void {
		const stdin = this.#child?.stdin;
		// Full: systemd takes nothing. What waits would be told too late, and a beat that is late is none.
		if (!stdin?.writable || stdin.writableNeedDrain) return;
		stdin.write(`${line}\n`);
	}

	/** Begun anew at the next word when it ended. */
	#begin(): void {
		const { socket, path } = this.#options;
		const child: ChildProcess = spawn(
			"/bin/sh",
			["-c", speaker, "sh", perlSpeaker],
			{
				env: {
					NOTIFY_SOCKET: socket,
					...(path === undefined ? {} : { PATH: path }),
				},
				cwd: "/",
				stdio: ["pipe", "ignore", "pipe"],
			},
		);
		this.#child = child;
		let said = "";
		child.stderr?.on("data", (chunk) => {
			if (said.length < failureBytes) said += chunk;
		});
		// It is gone: its end is told by "close".
		child.stdin?.on("error", () => {});
		const ended = (error: Error | null) => {
			if (this.#child !== child) return;
			this.#child = null;
			if (error !== null) this.#options.onFailure(error);
		};
		child.once("error", ended);
		child.once("close", (code, signal) =>
			ended(
				this.#isClosed && code === 0
					? null
					: new Error(said.trim() || `sh ended with ${signal ?? code}`),
			),
		);
		child.unref();
		letGo(child.stdin);
		letGo(child.stderr);
		for (const line of this.#options.opening()) this.#write(line);
	}
}

/** A process with nothing else to do ends although it may still speak. */
function letGo(stream: Writable | Readable | null): void {
	if (stream instanceof Socket) stream.unref();
}
