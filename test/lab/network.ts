import { OperatorError } from "../../src/errors.js";
import { attempt, run } from "./program.js";

/** What a host no longer hears, or who no longer hears it. */
export type Direction = "both" | "in" | "out";

/** Frames that are dropped, by the port of the bridge that they come in and go out by. */
export interface Cuts {
	/** Between two machines: from one port to the other. */
	readonly pairs: readonly (readonly [from: string, to: string])[];
	/** From these ports to this machine. */
	readonly unheard: readonly string[];
	/** From this machine to these ports. */
	readonly deaf: readonly string[];
}

/** The cuts that part `port` from others, and with `operator` from this machine. */
export function cutsOf(
	port: string,
	{
		others,
		operator,
		direction,
	}: {
		readonly others: readonly string[];
		readonly operator: boolean;
		readonly direction: Direction;
	},
): Cuts {
	const out = direction !== "in";
	const inward = direction !== "out";
	return {
		pairs: others
			.filter((other) => other !== port)
			.flatMap((other) => [
				...(out ? [[port, other] as const] : []),
				...(inward ? [[other, port] as const] : []),
			]),
		unheard: operator && out ? [port] : [],
		deaf: operator && inward ? [port] : [],
	};
}

/** A bridge of its own, this machine's address on it, and a table of what is cut. */
export interface Network {
	readonly bridge: string;
	/** Does nothing when it is there. Throws OperatorError "refused" when something is in the way that is not its own. */
	create(): Promise<void>;
	/** Throws OperatorError "refused" when the bridge is somebody else's. */
	claim(): Promise<void>;
	remove(): Promise<void>;
	cut(cuts: Cuts): Promise<void>;
	/** Of one port, or all. */
	heal(port?: string): Promise<void>;
	cuts(): Promise<Cuts>;
}

export interface NetworkOptions {
	/** At most 8 letters: bridge, table and ports are named after it, and a port's name has 15. */
	readonly name: string;
	/** This machine's address on it, with its length: 10.77.0.1/24. */
	readonly address: string;
	/** Whose it is, written on the bridge. */
	readonly owner: string;
}

export function network({ name, address, owner }: NetworkOptions): Network {
	const bridge = `${name}0`;
	const table = ["bridge", name] as const;
	const elements = (cuts: Cuts, verb: string) =>
		(
			[
				["pairs", cuts.pairs.map(([from, to]) => `"${from}" . "${to}"`)],
				["unheard", cuts.unheard.map((port) => `"${port}"`)],
				["deaf", cuts.deaf.map((port) => `"${port}"`)],
			] as const
		)
			.filter(([, members]) => members.length > 0)
			.map(
				([set, members]) =>
					`${verb} element bridge ${name} ${set} { ${members.join(", ")} }`,
			);
	const commands = async (lines: readonly string[]) => {
		if (lines.length > 0)
			await run(["nft", "-f", "-"], { stdin: `${lines.join("\n")}\n` });
	};
	const cuts = async () => {
		const { exitCode, stdout } = await attempt([
			...["nft", "--json", "list", "table", ...table],
		]);
		return exitCode === 0 ? parseCuts(stdout) : nothing;
	};
	return {
		bridge,
		cuts,
		async create() {
			if (!(await isOwn(bridge, owner)))
				await createBridge(bridge, { address, owner });
			await commands(emptyTable(name));
		},
		async claim() {
			await isOwn(bridge, owner);
		},
		async remove() {
			if (await isOwn(bridge, owner))
				await run(["ip", "link", "delete", bridge]);
			await attempt(["nft", "delete", "table", ...table]);
		},
		cut: (added) => commands(elements(added, "add")),
		async heal(port) {
			const current = await cuts();
			const healed = port === undefined ? current : cutsWith(port, current);
			// Added first: to delete one that somebody else healed just now would be an error.
			await commands([
				...elements(healed, "add"),
				...elements(healed, "delete"),
			]);
		},
	};
}

const nothing: Cuts = { pairs: [], unheard: [], deaf: [] };

/** Those that name the port. */
export function cutsWith(port: string, cuts: Cuts): Cuts {
	return {
		pairs: cuts.pairs.filter((pair) => pair.includes(port)),
		unheard: cuts.unheard.filter((name) => name === port),
		deaf: cuts.deaf.filter((name) => name === port),
	};
}

/** What `nft --json list table` says. */
export function parseCuts(json: string): Cuts {
	const { nftables } = JSON.parse(json) as {
		readonly nftables: readonly {
			readonly set?: { readonly name: string; readonly elem?: unknown[] };
		}[];
	};
	const members = (name: string) =>
		nftables.find(({ set }) => set?.name === name)?.set?.elem ?? [];
	return {
		pairs: members("pairs").map(
			(member) => (member as { concat: [string, string] }).concat,
		),
		unheard: members("unheard") as string[],
		deaf: members("deaf") as string[],
	};
}

/** One table, whose sets are what is cut. To add what is there already changes nothing. */
function emptyTable(name: string): readonly string[] {
	return [
		`table bridge ${name} {`,
		"set pairs { type ifname . ifname; }",
		"set unheard { type ifname; }",
		"set deaf { type ifname; }",
		"}",
		...(["forward", "input", "output"] as const).map(
			(hook) =>
				`add chain bridge ${name} ${hook} { type filter hook ${hook} priority 0; }`,
		),
		`flush table bridge ${name}`,
		`add rule bridge ${name} forward iifname . oifname @pairs drop`,
		`add rule bridge ${name} input iifname @unheard drop`,
		`add rule bridge ${name} output oifname @deaf drop`,
	];
}

/** Whether it is there. Throws OperatorError "refused" when it is, and not of this owner. */
async function isOwn(bridge: string, owner: string): Promise<boolean> {
	const link = await linkOf(bridge);
	if (link === null || link.owner === owner) return link !== null;
	const { owner: other } = link;
	throw new OperatorError(
		"refused",
		other === null
			? `there is an interface ${bridge} already, which the lab did not make`
			: `there is a lab up already, with its machines in ${other}`,
		{
			state: "Nothing was changed.",
			next:
				other === null
					? `ip link show ${bridge}`
					: "npm run lab -- down, in the checkout that it belongs to",
		},
	);
}

async function createBridge(
	bridge: string,
	{ address, owner }: { readonly address: string; readonly owner: string },
): Promise<void> {
	await run(["ip", "link", "add", "name", bridge, "type", "bridge"]);
	await run(["ip", "link", "set", bridge, "alias", aliasOf(owner)]);
	// Fixed: a bridge otherwise takes on the lowest address of its ports, and changes it as machines come and go.
	await run(["ip", "link", "set", bridge, "address", macOf(address)]);
	await run(["ip", "address", "add", address, "dev", bridge]);
	await run(["ip", "link", "set", bridge, "up"]);
}

const aliasBegins = "raftctl lab of ";

function aliasOf(owner: string): string {
	return `${aliasBegins}${owner}`;
}

/** A locally administered address made of the one on the network. */
function macOf(address: string): string {
	const bytes = address.replace(/\/.*/, "").split(".").map(Number);
	const hex = bytes.map((byte) => byte.toString(16).padStart(2, "0"));
	return ["02", "6c", ...hex].join(":");
}

/** Null when there is no such interface; its owner is null when the lab did not make it. */
async function linkOf(
	name: string,
): Promise<{ readonly owner: string | null } | null> {
	const { exitCode, stdout } = await attempt([
		...["ip", "-json", "link", "show", "dev", name],
	]);
	if (exitCode !== 0) return null;
	const [link] = JSON.parse(stdout) as [{ readonly ifalias?: string }];
	const alias = link.ifalias ?? "";
	return {
		owner: alias.startsWith(aliasBegins)
			? alias.slice(aliasBegins.length)
			: null,
	};
}
