import { z } from "zod";
import { duration } from "./duration.js";
import { name } from "./name.js";

/** A name or an address without a port; IPv6 without brackets. */
const hostAddress = z
	.string()
	.regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$|^[0-9A-Fa-f:.]+$/, {
		error: "must be a host name or an address, without a port",
		abort: true,
	});

const path = z.string().min(1);

const user = z
	.string()
	.regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/, "must be the name of an account");

const identityFile = z
	.union([path, z.array(path).min(1).max(10)], "must be a path, or a list")
	.optional();

const jump = z
	.string()
	.regex(
		/^[A-Za-z0-9_.@:[\]-]+(,[A-Za-z0-9_.@:[\]-]+)*$/,
		"must be [user@]host[:port], or several of them between commas",
	)
	.optional();

const hostSsh = z.strictObject({
	address: hostAddress
		.optional()
		.describe("Where SSH reaches it, if not at its address."),
	user: user.optional().describe("The account on it."),
	port: z
		.number()
		.int()
		.min(1)
		.max(65_535)
		.optional()
		.describe("The port of its SSH server. By default 22."),
	identityFile: identityFile.describe("The key for it, or a list of keys."),
	jump: jump.describe(
		'The host by way of which it is reached; "none" for none.',
	),
});

const host = z.strictObject({
	address: hostAddress.describe(
		"Its name or address; the other hosts reach its nodes by it, too.",
	),
	ssh: hostSsh.prefault({}).describe("What SSH needs to know about it alone."),
});

export const hosts = z
	.record(
		name,
		z.union(
			[hostAddress, host],
			"must be an address, or a mapping that has one",
		),
	)
	.prefault({})
	.describe(
		'Machines that are reached over SSH, by name. "local" is this one and needs no entry.',
	);

/** For all hosts; a host's own words come first, then these, then ~/.ssh/config. */
export const ssh = z.strictObject({
	user: user
		.optional()
		.describe(
			"The account on the hosts. By default what ~/.ssh/config says, else one's own.",
		),
	identityFile: identityFile.describe(
		"The key, or a list of keys. By default what ~/.ssh/config says, else the usual ones of ~/.ssh.",
	),
	config: z
		.union([path, z.literal(false)], "must be a path, or false for none")
		.default("~/.ssh/config")
		.describe("The SSH client's configuration; false for none."),
	knownHosts: z
		.union([path, z.array(path).min(1).max(10)], "must be a path, or a list")
		.optional()
		.describe(
			"Where the keys of the hosts are. By default what ~/.ssh/config says, else ~/.ssh/known_hosts.",
		),
	hostKeys: z
		.enum(["strict", "accept-new"])
		.default("strict")
		.describe(
			"strict: a host must be known. accept-new: one that is not known is believed and written down; a changed key never is.",
		),
	jump: jump.describe(
		"The host by way of which all others are reached. None by default.",
	),
	connectTimeout: duration({ minMs: 100, maxMs: 120_000 })
		.prefault("10s")
		.describe("How long a host may take until it can be worked on."),
});
