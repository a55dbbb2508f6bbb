import { join } from "node:path";
import type { HostEntry, SshSettings } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { HostName } from "./known-hosts.js";
import { type Directive, settingsFor } from "./ssh-config.js";

/** All that is to be known before a host is called. */
export interface Destination {
	/** What people call it; for messages. */
	readonly name: string;
	readonly hostName: string;
	readonly port: number;
	readonly user: string;
	/** Under which its key is looked for. */
	readonly knownAs: HostName;
	/** In this order; the first is the one that new keys are written to. */
	readonly knownHosts: readonly string[];
	readonly hostKeys: "strict" | "accept-new";
	readonly identityFiles: readonly string[];
	/** The files were named, not guessed: one that is missing is a mistake. */
	readonly identitiesNamed: boolean;
	/** Of the agent's keys, only those of the files. */
	readonly identitiesOnly: boolean;
	readonly agentSocket: string | null;
	/** The hosts in between, nearest first, each [user@]host[:port]. */
	readonly jumps: readonly string[];
	readonly connectTimeoutMs: number;
}

/** Of the machine and the person in front of it. */
export interface Person {
	readonly home: string;
	readonly user: string;
	/** SSH_AUTH_SOCK. */
	readonly agentSocket: string | null;
}

export interface Sources {
	readonly ssh: SshSettings;
	readonly directives: readonly Directive[];
	readonly person: Person;
}

/** A host of the cluster file: its own words, then those for all hosts, then the client's configuration. */
export function destinationOf(
	{ name, ssh: own }: HostEntry,
	{ ssh, directives, person }: Sources,
): Destination {
	return resolve({
		...{ name, alias: own.address, ssh, directives, person },
		user: own.user ?? ssh.user,
		port: own.port,
		identityFiles: own.identityFiles ?? ssh.identityFiles,
		jump: own.jump ?? ssh.jump,
	});
}

/** A host in between, as it is written: a user that it names goes first, then the client's configuration. */
export function jumpDestination(
	word: string,
	{ ssh, directives, person }: Sources,
): Destination {
	const [, user, bracketed, plain, port] =
		/^(?:([^@]+)@)?(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(word) ?? [];
	const alias = bracketed ?? plain;
	if (alias === undefined)
		throw new OperatorError(
			"config",
			`"${word}" is no host to jump over; write [user@]host[:port]`,
			{ state: "nothing was touched" },
		);
	const configured = settingsFor(directives, alias).user;
	return resolve({
		...{ name: alias, alias, ssh, directives, person },
		user: user ?? configured ?? ssh.user,
		port: port === undefined ? null : Number(port),
		identityFiles: ssh.identityFiles,
		jump: null,
	});
}

interface Wanted extends Sources {
	readonly name: string;
	/** What would be typed after `ssh`. */
	readonly alias: string;
	readonly user: string | null;
	readonly port: number | null;
	readonly identityFiles: readonly string[] | null;
	readonly jump: string | null;
}

function resolve(wanted: Wanted): Destination {
	const { alias, ssh, directives, person } = wanted;
	const settings = settingsFor(directives, alias);
	const hostName = (settings.hostName ?? alias)
		.replaceAll("%h", alias)
		.replaceAll("%%", "%")
		.toLowerCase();
	const user = wanted.user ?? settings.user ?? person.user;
	const port = wanted.port ?? settings.port ?? 22;
	const absolute = (path: string) =>
		expand(path, { home: person.home, hostName, user, port, alias, person });
	const named = wanted.identityFiles ?? settings.identityFiles;
	const [userFiles, globalFiles] = [
		ssh.knownHosts ?? settings.userKnownHostsFiles ?? defaultKnownHosts,
		settings.globalKnownHostsFiles ?? ["/etc/ssh/ssh_known_hosts"],
	];
	const jump = wanted.jump ?? settings.proxyJump;
	if (jump === null) refuseProxyCommand(wanted.name, settings.proxyCommand);
	return {
		...{ name: wanted.name, hostName, port, user },
		knownAs: {
			host: settings.hostKeyAlias ?? hostName,
			// An alias stands for the key itself, whatever the port.
			port: settings.hostKeyAlias === null ? port : 22,
		},
		knownHosts: [...userFiles, ...globalFiles].map(absolute),
		hostKeys: ssh.hostKeys,
		identityFiles: (named.length > 0 ? named : defaultKeys).map(absolute),
		identitiesNamed: wanted.identityFiles !== null,
		identitiesOnly: settings.identitiesOnly,
		agentSocket: agentOf(settings.identityAgent, person, absolute),
		jumps:
			jump === null || jump.toLowerCase() === "none" ? [] : jump.split(","),
		connectTimeoutMs: ssh.connectTimeoutMs,
	};
}

const defaultKnownHosts = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"];
const defaultKeys = ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"];

function agentOf(
	configured: string | null,
	{ agentSocket }: Person,
	absolute: (path: string) => string,
): string | null {
	if (configured === null || configured === "SSH_AUTH_SOCK") return agentSocket;
	return configured.toLowerCase() === "none" ? null : absolute(configured);
}

/** To connect directly where the configuration says to go through a program would go round what guards the way. */
function refuseProxyCommand(name: string, command: string | null): void {
	if (command === null || command.toLowerCase() === "none") return;
	throw new OperatorError(
		"config",
		`~/.ssh/config reaches ${name} by a ProxyCommand, which raftctl does not run`,
		{
			node: name,
			state: "nothing was touched",
			next: "name the host in between: ProxyJump there, or jump under ssh in the cluster file",
		},
	);
}

/** ssh_config(5), TOKENS, as far as paths use them. */
function expand(
	path: string,
	at: {
		readonly home: string;
		readonly hostName: string;
		readonly user: string;
		readonly port: number;
		readonly alias: string;
		readonly person: Person;
	},
): string {
	const tokens: Readonly<Record<string, string>> = {
		...{ "%": "%", d: at.home, h: at.hostName, n: at.alias },
		...{ p: String(at.port), r: at.user, u: at.person.user },
	};
	const whole = path.replaceAll(
		/%(.)/g,
		(written, letter: string) => tokens[letter] ?? written,
	);
	if (whole === "~") return at.home;
	return whole.startsWith("~/") ? join(at.home, whole.slice(2)) : whole;
}
