import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { OperatorError } from "../../src/errors.js";
import { forEach } from "./all-at-once.js";
import { loosenClock, setClock } from "./clock.js";
import {
	controlGroup,
	type Hierarchies,
	hierarchies,
} from "./control-group.js";
import { emptyDisk, fillDisk, startSsh, stopSsh } from "./disk-and-sshd.js";
import { rootImage } from "./image.js";
import {
	type Access,
	type Addressed,
	accessOf,
	hostKeyOf,
	makeKeys,
	readKey,
} from "./keys.js";
import { type Machine, machine } from "./machine.js";
import {
	allHosts,
	balancerHost,
	type HostName,
	hostNumbers,
	type LabName,
	usualLab,
} from "./names.js";
import {
	cutsOf,
	cutsWith,
	type Direction,
	type Network,
	network,
} from "./network.js";
import { type Overlay, overlayOf } from "./overlay.js";
import type { ProgramOptions, ProgramResult } from "./program.js";
import { until } from "./until.js";

export interface LabOptions extends Partial<LabName> {
	/** The checkout: where templates/ is. */
	readonly root: string;
	readonly stateBytes?: number;
	/** What takes long. */
	readonly tell?: (line: string) => void;
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

const goingDownMs = 10_000;

export async function openLab(options: LabOptions): Promise<Lab> {
	return new Lab(options, await hierarchies());
}

/**
 * Five machines for nodes and one for a balancer, on a bridge that this machine is on too. All about them is found again
 * from outside (control groups, the bridge), so that a lab does not depend on the process that brought it up.
 */
export class Lab {
	/** Of its own; that of the usual lab has the images of all labs, too. */
	readonly directory: string;
	readonly access: Access;
	/** This machine's address on the bridge. */
	readonly operator: string;
	readonly #options: LabOptions & LabName;
	readonly #images: string;
	readonly #hierarchies: Hierarchies;
	readonly #network: Network;
	readonly #machines: ReadonlyMap<string, Machine>;
	#image: Promise<string> | null = null;

	constructor(options: LabOptions, hierarchies: Hierarchies) {
		this.#options = { ...usualLab, ...options };
		this.#hierarchies = hierarchies;
		const { name, subnet, root } = this.#options;
		this.#images = join(resolve(root), "node_modules/.cache/raftctl-lab");
		this.directory =
			name === usualLab.name ? this.#images : join(this.#images, name);
		this.access = accessOf(this.directory);
		this.operator = `${subnet}.1`;
		this.#network = network({
			...{ name, owner: this.directory },
			address: `${this.operator}/24`,
		});
		this.#machines = new Map(
			allHosts.map((host) => [host, this.#newMachine(host)]),
		);
	}

	address(host: HostName): string {
		return `${this.#options.subnet}.${hostNumbers[host]}`;
	}

	/** Brings up those that are off, and undoes to the others what `freeze`, `cut`, `fillDisk` and `stopSsh` did. */
	async up(hosts: readonly HostName[] = allHosts): Promise<void> {
		await this.#network.create();
		await makeKeys(this.directory, this.#addressed());
		// Before the machines ask for it, so that a failure is told once.
		await this.image();
		await forEach(hosts, async (host) => {
			const isOff = async () => (await this.#of(host).state()) === "off";
			if (!(await isOff()))
				await this.#mend(host).catch(async (error) => {
					// Perhaps it was just going down, by itself.
					const what = `${host} to go down`;
					await until(isOff, goingDownMs, { what }).catch(() => {
						throw error;
					});
				});
			await this.boot(host);
		});
	}

	/** Takes away all of it but the image and the keys. Does nothing when there is none. */
	async down(): Promise<void> {
		await this.#network.claim();
		await forEach(allHosts, (host) => this.powerOff(host));
		await controlGroup(this.#hierarchies, this.#groups()).remove();
		await this.#network.remove();
		await rm(this.#disks(), { recursive: true, force: true });
	}

	async status(): Promise<readonly HostStatus[]> {
		const cuts = await this.#network.cuts();
		return await Promise.all(
			this.#addressed().map(async (each) => {
				const { port, state } = this.#of(each.name);
				const { pairs, unheard, deaf } = cutsWith(port, cuts);
				const parted = allHosts
					.filter((host) => host !== each.name)
					.filter((host) => pairs.flat().includes(this.#of(host).port));
				const byOperator = unheard.length + deaf.length > 0;
				return {
					...each,
					state: await state(),
					cutFrom: [...parted, ...(byOperator ? ["operator"] : [])],
				};
			}),
		);
	}

	/** As if pulled off the mains, but that what was written stays written, synced or not. */
	powerOff(host: HostName): Promise<void> {
		return this.#of(host).powerOff();
	}

	boot(host: HostName): Promise<void> {
		return this.#of(host).boot();
	}

	/** A new machine in its place, as bare as at first, with the same name, address and host key. */
	async replace(host: HostName): Promise<void> {
		await this.powerOff(host);
		await this.#of(host).wipe();
		await this.heal(host);
		await this.boot(host);
	}

	freeze(host: HostName): Promise<void> {
		return this.#of(host).freeze();
	}

	thaw(host: HostName): Promise<void> {
		return this.#of(host).thaw();
	}

	/** Silently: frames are dropped. Adds to what is cut already. */
	async cut(host: HostName, { from, direction = "both" }: Cut): Promise<void> {
		const parted = typeof from === "string" ? allHosts : from;
		await this.#network.cut(
			cutsOf(this.#of(host).port, {
				others:
					from === "operator" ? [] : parted.map((each) => this.#of(each).port),
				operator: from === "operator" || from === "all",
				direction,
			}),
		);
	}

	/** One, or all. */
	async heal(host?: HostName): Promise<void> {
		await this.#network.heal(
			host === undefined ? undefined : this.#of(host).port,
		);
	}

	/** /var/lib/raftctl, to the last block. */
	fillDisk(host: HostName): Promise<void> {
		return fillDisk(this.#of(host));
	}

	emptyDisk(host: HostName): Promise<void> {
		return emptyDisk(this.#of(host));
	}

	/** Before the daemon is started on it; clock.ts says what then tells which time. */
	loosenClock(host: HostName): Promise<void> {
		return loosenClock(this.#of(host));
	}

	setClock(host: HostName, aheadMs: number): Promise<void> {
		return setClock(this.#of(host), aheadMs);
	}

	/** With all its sessions. */
	stopSsh(host: HostName): Promise<void> {
		return stopSsh(this.#of(host));
	}

	startSsh(host: HostName): Promise<void> {
		return startSsh(this.#of(host));
	}

	/** HAProxy on the balancer's machine; "restart" ends what goes through it. */
	async haproxy(verb: "reload" | "restart" | "stop" | "start"): Promise<void> {
		await this.#of(balancerHost).must(["systemctl", verb, "haproxy"]);
	}

	/** As root, inside, whatever becomes of its network. */
	exec(
		host: HostName,
		argv: readonly string[],
		options?: ProgramOptions,
	): Promise<ProgramResult> {
		return this.#of(host).exec(argv, options);
	}

	/** What precedes a command to run it inside with one's own terminal. */
	entry(host: HostName): Promise<readonly string[]> {
		return this.#of(host).entry();
	}

	async #mend(host: HostName): Promise<void> {
		await this.thaw(host);
		await this.heal(host);
		await this.emptyDisk(host);
		await this.startSsh(host);
		await this.#of(host).reachable();
	}

	#newMachine(host: HostName): Machine {
		const { name, stateBytes = 2 ** 30 } = this.#options;
		return machine({
			...{ name: host, address: this.address(host), stateBytes },
			fullName: `${name}-${host}`,
			directory: join(this.#disks(), host),
			image: () => this.image(),
			overlay: () => this.#overlay(host),
			bridge: this.#network.bridge,
			group: controlGroup(this.#hierarchies, join(this.#groups(), host)),
		});
	}

	async #overlay(host: HostName): Promise<Overlay> {
		const sudoers = join(this.#options.root, "templates/sudoers");
		return overlayOf({
			machine: { name: host, address: this.address(host) },
			all: this.#addressed(),
			gateway: this.operator,
			hostKey: await readKey(hostKeyOf(this.directory, host)),
			authorizedKey: (await readKey(this.access.identityFile)).public,
			sudoers: await readFile(sudoers, "utf8"),
			runsBalancer: host === balancerHost,
		});
	}

	/** The tree that all machines are laid over; built where there is none. */
	image(): Promise<string> {
		this.#image ??= rootImage(this.#images, this.#options.tell ?? (() => {}));
		return this.#image;
	}

	#addressed(): readonly (Addressed & { readonly name: HostName })[] {
		return allHosts.map((name) => ({ name, address: this.address(name) }));
	}

	#disks(): string {
		return join(this.directory, "machines");
	}

	#groups(): string {
		return `raftctl-lab.${this.#options.name}`;
	}

	#of(host: HostName): Machine {
		const found = this.#machines.get(host);
		if (found !== undefined) return found;
		throw new OperatorError(
			"usage",
			`the lab has no ${host}, only ${allHosts.join(", ")}`,
		);
	}
}
