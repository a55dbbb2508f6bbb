import { connect, type NetConnectOpts } from "node:net";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Host } from "../../hosts/host.js";
import { splitAddress } from "../address.js";

/** HAProxy's runtime socket on one host. */
export interface RuntimeSocket {
	/** The host's name, for messages. */
	readonly host: string;
	/** Says commands, parted by ";", and returns what HAProxy answers to all of them. Throws OperatorError "unreachable". */
	ask(commands: string, signal?: AbortSignal): Promise<string>;
}

/** Local sockets answer within milliseconds; a host behind SSH may have to be connected to first. */
const answerLimitMs = 2_000;
export const remoteLimitMs = 15_000;
const answerLimitBytes = 4 * 1024 * 1024;

/** Over TCP, from this machine. */
export function tcpSocket(host: string, address: string): RuntimeSocket {
	return {
		host,
		ask: (commands, signal) =>
			exchange(splitAddress(address), commands, signal).catch((cause) => {
				signal?.throwIfAborted();
				throw silent(host, address, reasonOf(cause), cause);
			}),
	};
}

/** A path of this machine. */
export function localSocket(path: string): RuntimeSocket {
	return {
		host: "local",
		ask: (commands, signal) =>
			exchange({ path }, commands, signal).catch((cause) => {
				signal?.throwIfAborted();
				throw fault("local", path, causes[cause.code] ?? "broken", cause);
			}),
	};
}

/** A path of another machine, through socat there. */
export function remoteSocket(host: Host, path: string): RuntimeSocket {
	return {
		host: host.name,
		async ask(commands, signal) {
			const argv = ["sh", "-c", remoteScript, "raftctl", path];
			const { exitCode, stdout, stderr } = await host.run(argv, {
				timeoutMs: remoteLimitMs,
				stdin: Buffer.from(`${commands}\n`),
				...(signal === undefined ? {} : { signal }),
			});
			if (exitCode === 0) return stdout;
			throw fault(host.name, path, exits[exitCode] ?? "broken", stderr.trim());
		},
	};
}

const remoteScript = `
[ -S "$1" ] || exit 66
[ -w "$1" ] || exit 77
command -v socat >/dev/null 2>&1 || exit 69
exec socat -t2 -T2 - "UNIX-CONNECT:$1"
`;

type Fault = "absent" | "forbidden" | "nobody" | "no-socat" | "broken";

const exits: Readonly<Record<number, Fault>> = {
	66: "absent",
	69: "no-socat",
	77: "forbidden",
};

const causes: Readonly<Record<string, Fault>> = {
	ENOENT: "absent",
	EACCES: "forbidden",
	EPERM: "forbidden",
	ECONNREFUSED: "nobody",
};

function fault(
	host: string,
	path: string,
	what: Fault,
	cause: unknown,
): OperatorError {
	const { why, next } = remedies[what];
	const detail = what === "broken" ? `: ${reasonOf(cause)}` : "";
	return new OperatorError(
		"unreachable",
		`HAProxy on ${host} cannot be asked: ${path} ${why}${detail}`,
		{ node: host, state: "nothing was touched", next, cause },
	);
}

const remedies: Readonly<Record<Fault, { why: string; next: string }>> = {
	absent: {
		why: "is not there",
		next: 'start HAProxy; its global section needs "stats socket <path> mode 660 level admin", and balancer.socket the same path',
	},
	forbidden: {
		why: "is not open to this account",
		next: 'add the account to the group of the socket, as a rule "haproxy"',
	},
	nobody: {
		why: "is there, and nobody answers",
		next: "start HAProxy",
	},
	"no-socat": {
		why: "can only be reached with socat, which is not installed there",
		next: "apt-get install socat, or give balancer.tcp",
	},
	broken: { why: "gave no answer", next: "look at HAProxy's log" },
};

function silent(
	host: string,
	address: string,
	reason: string,
	cause: unknown,
): OperatorError {
	return new OperatorError(
		"unreachable",
		`HAProxy on ${host} cannot be asked at ${address}: ${reason}`,
		{
			node: host,
			state: "nothing was touched",
			next: 'start HAProxy; its global section needs "stats socket ipv4@<address> level admin"',
			cause,
		},
	);
}

/** One connection, one line, and everything until HAProxy closes. */
function exchange(
	target: NetConnectOpts,
	commands: string,
	signal?: AbortSignal,
): Promise<string> {
	const timeout = AbortSignal.timeout(answerLimitMs);
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let bytes = 0;
		const socket = connect({ ...target, allowHalfOpen: true });
		const ended = AbortSignal.any(signal ? [signal, timeout] : [timeout]);
		const give = () =>
			socket.destroy(new Error(`no answer within ${answerLimitMs} ms`));
		if (ended.aborted) give();
		ended.addEventListener("abort", give, { once: true });
		socket.once("connect", () => socket.write(`${commands}\n`));
		socket.on("data", (chunk: Buffer) => {
			chunks.push(chunk);
			bytes += chunk.length;
			if (bytes > answerLimitBytes)
				socket.destroy(new Error("the answer is too long"));
		});
		socket.once("error", reject);
		socket.once("end", () => {
			socket.end();
			resolve(Buffer.concat(chunks).toString("utf8"));
		});
		socket.once("close", () => {
			ended.removeEventListener("abort", give);
			reject(new Error("it ended the connection"));
		});
	});
}
