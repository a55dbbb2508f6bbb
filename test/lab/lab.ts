import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { OperatorError } from "../../src/errors.js";
import { loosenClock, setClock } from "./clock.js";
import { controlGroup, hierarchies } from "./control-group.js";
import { rootImage } from "./image.js";
import {
	type Access,
	type Addressed,
	accessOf,
	hostKeyOf,
	makeKeys,
} from "./keys.js";
import { type Machine, machine } from "./machine.js";
import { cutsOf, cutsWith, type Direction, network } from "./network.js";
import { overlayOf } from "./overlay.js";
import type { ProgramOptions, ProgramResult } from "./program.js";

export const nodeHosts = ["h1", "h2", "h3", "h4", "h5"] as const;
export const balancerHost = "lb";
export const allHosts = [...nodeHosts, balancerHost] as const;
export type HostName = (typeof allHosts)[number];

/** The last part of their addresses. This machine has 1. */
const numbers: Record<HostName, number> = {
	...{ h1: 11, h2: 12, h3: 13, h4: 14, h5: 15 },
	lb: 20,
};

const defaultName = "raftlab";

export interface LabOptions {
	/** The checkout: where templates/ is. */
	readonly root: string;
	/** Bridge, control groups and machines are named after it, so that two labs can be up; at most 8 letters. */
	readonly name?: string;
	/** The first three parts of its addresses. */
	readonly subnet?: string;
	readonly stateBytes?: number;
	readonly tell?: (line: string) => void;
}

/** "NAME,SUBNET" instead of the lab that there is by default: "labtest,10.78.0". */
export function labNamed(text: string | undefined): {
	readonly name: string;
	readonly subnet: string;
} {
	const [name, subnet] = (text ?? `${defaultName},10.77.0`).split(",");
	if (/^[a-z]{1,8}$/.test(name ?? "") && /^(\d+\.){2}\d+$/.test(subnet ?? ""))
		return { name: name ?? "", subnet: subnet ?? "" };
	throw new OperatorError(
		"usage",
		`"${text}" is not a lab's name and subnet, such as labtest,10.78.0`,
	);
}

/** Who does not hear whom any more. */
export interface Cut {
	/** The other machines, this one ("operator"), both, or the machines named. */
	readonly from: "others" | "operator" | "all" | readonly HostName[];
	/** "in": it hears nothing of them; "out": they hear nothing of it. By default both. */
	readonly direction?: Direction;
}

export interface HostStatus extends Addressed {
	readonly state: "off" | "frozen" | "up";
	/** Whom it does not hear, or who does not hear it: machines, "operator". */
	readonly cutFrom: readonly string[];
}

/**
 * Five machines for nodes and one for a balancer, on a bridge that this machine is on too. Everything about them is
 * found again from outside (control groups, the bridge), so that a lab does not depend on the process that brought it up.
 */
export interface Lab {
	readonly name: string;
	readonly directory: string;
	readonly access: Access;
	/** This machine's address on the bridge. */
	readonly operator: string;
	address(host: HostName): string;
	/** Brings up those that are off, and undoes to the others what `freeze`, `cut`, `fillDisk`, `stopSsh`, `setClock` did. */
	up(hosts?: readonly HostName[]): Promise<void>;
	/** Takes away all of it but the image and the keys. Does nothing when there is none. */
	down(): Promise<void>;
	status(): Promise<readonly HostStatus[]>;
	/** As if pulled off the mains, but that what was written stays written. */
	powerOff(host: HostName): Promise<void>;
	boot(host: HostName): Promise<void>;
	/** A new machine in its place, as bare as at first. */
	replace(host: HostName): Promise<void>;
	freeze(host: HostName): Promise<void>;
	thaw(host: HostName): Promise<void>;
	/** Silently: frames are dropped. Adds to what is cut already. */
	cut(host: HostName, cut: Cut): Promise<void>;
	/** One, or all. */
	heal(host?: HostName): Promise<void>;
	/** /var/lib/raftctl, to the last byte. */
	fillDisk(host: HostName): Promise<void>;
	emptyDisk(host: HostName): Promise<void>;
	/** Before the daemon is started on it; see clock.ts for what then tells which time. */
	loosenClock(host: HostName): Promise<void>;
	setClock(host: HostName, aheadMs: number): Promise<void>;
	/** With all its sessions. */
	stopSsh(host: HostName): Promise<void>;
	startSsh(host: HostName): Promise<void>;
	/** As root, inside, whatever becomes of its network. */
	exec(
		host: HostName,
		argv: readonly string[],
		options?: ProgramOptions,
	): Promise<ProgramResult>;
	/** What precedes a command to run it inside with one's own terminal. */
	entry(host: HostName): Promise<readonly string[]>;
}

const ballast = "/var/lib/raftctl/ballast";

export async function openLab(options: LabOptions): Promise<Lab> {
	const { name = defaultName, subnet = "10.77.0", root } = options;
	const { stateBytes = 2 ** 30, tell = () => {} } = options;
	const images = join(resolve(root), "node_modules/.cache/raftctl-lab");
	const directory = name === defaultName ? images : join(images, name);
	const machinesDirectory = join(directory, "machines");
	const groups = await hierarchies();
	const groupsOf = `raftctl-lab.${name}`;
	const operator = `${subnet}.1`;
	const net = network({ name, address: `${operator}/24`, owner: directory });
	const address = (host: HostName) => `${subnet}.${numbers[host]}`;
	const addressed = allHosts.map((host) => ({
		name: host,
		address: address(host),
	}));

	let image: Promise<string> | null = null;
	const machines = new Map<string, Machine>(
		allHosts.map((host) => [
			host,
			machine({
				...{ name: host, address: address(host), stateBytes },
				fullName: `${name}-${host}`,
				directory: join(machinesDirectory, host),
				image: () => {
					image ??= rootImage(images, tell);
					return image;
				},
				overlay: async () =>
					overlayOf({
						machine: { name: host, address: address(host) },
						all: addressed,
						gateway: operator,
						hostKey: await keyPair(hostKeyOf(directory, host)),
						authorizedKey: (await keyPair(accessOf(directory).identityFile))
							.public,
						sudoers: await readFile(join(root, "templates/sudoers"), "utf8"),
						runsBalancer: host === balancerHost,
					}),
				bridge: net.bridge,
				group: controlGroup(groups, join(groupsOf, host)),
			}),
		]),
	);
	const of = (host: HostName): Machine => {
		const found = machines.get(host);
		if (found !== undefined) return found;
		throw new OperatorError(
			"usage",
			`the lab has no ${host}, only ${allHosts.join(", ")}`,
		);
	};

	const lab: Lab = {
		...{ name, directory, operator, address, access: accessOf(directory) },
		async up(hosts = allHosts) {
			await net.create();
			await makeKeys(directory, addressed);
			await Promise.all(
				hosts.map(async (host) => {
					if ((await of(host).state()) === "off") await of(host).boot();
					else await mend(lab, host);
				}),
			);
		},
		async down() {
			await net.claim();
			await Promise.all([...machines.values()].map((each) => each.powerOff()));
			await controlGroup(groups, groupsOf).remove();
			await net.remove();
			await rm(machinesDirectory, { recursive: true, force: true });
		},
		async status() {
			const cuts = await net.cuts();
			return await Promise.all(
				addressed.map(async (each) => {
					const { port, state } = of(each.name);
					const { pairs, unheard, deaf } = cutsWith(port, cuts);
					const parted = new Set([...pairs.flat(), ...unheard, ...deaf]);
					const others = allHosts.filter(
						(host) => host !== each.name && parted.has(of(host).port),
					);
					const byOperator = unheard.length + deaf.length > 0;
					return {
						...each,
						state: await state(),
						cutFrom: [...others, ...(byOperator ? ["operator"] : [])],
					};
				}),
			);
		},
		powerOff: (host) => of(host).powerOff(),
		boot: (host) => of(host).boot(),
		async replace(host) {
			await of(host).powerOff();
			await of(host).wipe();
			await net.heal(of(host).port);
			await of(host).boot();
		},
		freeze: (host) => of(host).freeze(),
		thaw: (host) => of(host).thaw(),
		async cut(host, { from, direction = "both" }) {
			const named = typeof from === "string" ? allHosts : from;
			await net.cut(
				cutsOf(of(host).port, {
					others: from === "operator" ? [] : named.map((it) => of(it).port),
					operator: from === "operator" || from === "all",
					direction,
				}),
			);
		},
		heal: (host) => net.heal(host === undefined ? host : of(host).port),
		async fillDisk(host) {
			const script = `
fallocate --length "$(df --output=avail --block-size=1 /var/lib/raftctl | tail -1)" "$1" || true
dd if=/dev/zero of="$1.rest" bs=4096 2>/dev/null || true
test "$(df --output=avail /var/lib/raftctl | tail -1)" -eq 0`;
			await of(host).must(["sh", "-euc", script, "sh", ballast]);
		},
		async emptyDisk(host) {
			await of(host).must(["rm", "-f", ballast, `${ballast}.rest`]);
		},
		loosenClock: (host) => loosenClock(of(host)),
		setClock: (host, aheadMs) => setClock(of(host), aheadMs),
		async stopSsh(host) {
			await of(host).must([
				...["systemctl", "kill", "--signal=KILL", "--kill-whom=all", "ssh"],
			]);
			await of(host).must(["systemctl", "stop", "ssh"]);
		},
		async startSsh(host) {
			await of(host).must(["systemctl", "start", "ssh"]);
		},
		exec: (host, argv, limits) => of(host).exec(argv, limits),
		entry: (host) => of(host).entry(),
	};
	return lab;
}

async function mend(lab: Lab, host: HostName): Promise<void> {
	await lab.thaw(host);
	await lab.heal(host);
	await lab.emptyDisk(host);
	await lab.startSsh(host);
}

async function keyPair(
	path: string,
): Promise<{ readonly secret: string; readonly public: string }> {
	const [secret, shown] = await Promise.all(
		[path, `${path}.pub`].map((file) => readFile(file, "utf8")),
	);
	return { secret: secret ?? "", public: shown ?? "" };
}
