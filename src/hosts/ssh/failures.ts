import { OperatorError } from "../../errors.js";
import type { Destination } from "./destination.js";
import {
	fingerprint,
	type KnownHost,
	typeOf,
	writtenName,
} from "./known-hosts.js";

/** No host's fault changes anything on it: what failed is the way there. */
const untouched = "nothing was done there";

export function unreachable(
	{ name }: Pick<Destination, "name">,
	what: string,
	details: {
		readonly state?: string;
		readonly problems?: readonly string[];
		readonly next?: string;
		readonly remedy?: string;
		readonly cause?: unknown;
	} = {},
): OperatorError {
	return new OperatorError("unreachable", what, {
		node: name,
		state: untouched,
		...details,
	});
}

/** `host:port` for people, with the name of the cluster file where that is another. */
export function placeOf({ name, hostName, port }: Destination): string {
	const place = hostName.includes(":")
		? `[${hostName}]:${port}`
		: `${hostName}:${port}`;
	return name === hostName ? place : `${name} (${place})`;
}

const causes: Readonly<Record<string, readonly [what: string, next: string]>> =
	{
		ECONNREFUSED: [
			"refused the connection: nothing listens there",
			"start its SSH server, or correct the port under ssh in the cluster file",
		],
		EHOSTUNREACH: [
			"cannot be reached: there is no route",
			"look whether the machine is on and the address right",
		],
		ENETUNREACH: [
			"cannot be reached: there is no route",
			"look whether this machine's network is up and the address right",
		],
		ENOTFOUND: [
			"has a name that nobody knows",
			"correct its address in the cluster file, or its HostName in ~/.ssh/config",
		],
		EAI_AGAIN: [
			"has a name that could not be looked up now",
			"look whether this machine's name service answers",
		],
		ETIMEDOUT: [
			"does not answer",
			"look whether the machine is on, and whether a firewall is in between",
		],
		ECONNRESET: [
			"ended the connection at once",
			"look at its SSH server's log: journalctl -u ssh",
		],
	};

/** Of what keeps a connection from being made before anything is said over it. */
export function connectFailure(
	destination: Destination,
	cause: unknown,
): OperatorError {
	if (cause instanceof OperatorError) return cause;
	const code = (cause as NodeJS.ErrnoException | null)?.code ?? "";
	const [what, next] = causes[code] ?? [
		"could not be connected to",
		"look at its SSH server's log: journalctl -u ssh",
	];
	return unreachable(destination, `${placeOf(destination)} ${what}`, {
		...{ next, cause },
	});
}

export function connectTimeout(destination: Destination): OperatorError {
	return unreachable(
		destination,
		`${placeOf(destination)} did not answer within ${destination.connectTimeoutMs} ms`,
		{
			next: "look whether the machine is on, and whether a firewall is in between; ssh.connectTimeout in the cluster file is the limit",
		},
	);
}

/** The server was right, the person was not: what was tried is what helps. */
export function authenticationFailure(
	destination: Destination,
	tried: readonly string[],
	cause: unknown,
): OperatorError {
	const { user, name } = destination;
	return new OperatorError(
		"unreachable",
		`${placeOf(destination)} let nobody in as ${user}: it takes none of the keys`,
		{
			node: name,
			problems: tried,
			state: untouched,
			next: `put the public key there (ssh-copy-id), or name the right account and key under ssh in the cluster file`,
			cause,
		},
	);
}

export function unknownHost(
	destination: Destination,
	key: Buffer,
): OperatorError {
	const { hostName, port, knownHosts, knownAs } = destination;
	const scan = port === 22 ? hostName : `-p ${port} ${hostName}`;
	return unreachable(
		destination,
		`${placeOf(destination)} is not known: ${knownHosts[0]} has no key for ${writtenName(knownAs)}`,
		{
			state: `it shows a key ${typeOf(key)} ${fingerprint(key)}; ${untouched}`,
			next: `compare that with the machine's own (ssh-keygen -lf /etc/ssh/ssh_host_${shortType(key)}_key.pub there), then: ssh-keyscan ${scan} >> ${knownHosts[0]}; or write "ssh: { hostKeys: accept-new }" into the cluster file`,
		},
	);
}

/** Either the machine was set up anew, or somebody else answers in its place; only a person can tell. */
export function changedHost(
	destination: Destination,
	key: Buffer,
	known: readonly KnownHost[],
): OperatorError {
	const places = known.map(
		({ file, line, type, key: other }) =>
			`${file}:${line} has ${type} ${fingerprint(other)}`,
	);
	const files = [...new Set(known.map(({ file }) => file))];
	const name = writtenName(destination.knownAs);
	return new OperatorError(
		"unreachable",
		`${placeOf(destination)} has another key than the known one: it was set up anew, or somebody else answers in its place`,
		{
			node: destination.name,
			problems: [`it shows ${typeOf(key)} ${fingerprint(key)}`, ...places],
			state: untouched,
			next: `find out which; if it was set up anew: ${files.map((file) => `ssh-keygen -R '${name}' -f ${file}`).join("; ")}`,
		},
	);
}

export function revokedKey(
	destination: Destination,
	{ file, line }: KnownHost,
	key: Buffer,
): OperatorError {
	return unreachable(
		destination,
		`${placeOf(destination)} shows a key that ${file}:${line} revokes: ${typeOf(key)} ${fingerprint(key)}`,
		{
			next: "do not go there: whoever answers has a key that was given up; give the machine new host keys",
		},
	);
}

export function doubtfulCertificate(
	destination: Destination,
	why: string,
): OperatorError {
	return unreachable(
		destination,
		`${placeOf(destination)} shows a certificate that proves nothing: ${why}`,
		{
			next: `have it signed for ${destination.knownAs.host} by an authority of ${destination.knownHosts[0]} (ssh-keygen -s CA -h -n ${destination.knownAs.host}), or add the host's own key there`,
		},
	);
}

export function connectionLost(
	destination: Pick<Destination, "name">,
	what: string,
	cause?: unknown,
): OperatorError {
	return unreachable(destination, `the connection broke while ${what}`, {
		state: "whether that was done to its end is not known",
		next: "give the command again: what is done already is not done twice",
		remedy: "",
		...(cause === undefined ? {} : { cause }),
	});
}

function shortType(key: Buffer): string {
	const type = typeOf(key) ?? "";
	if (type.startsWith("ecdsa")) return "ecdsa";
	return type === "ssh-rsa" ? "rsa" : "ed25519";
}
