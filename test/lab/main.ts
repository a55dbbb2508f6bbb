import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "../../src/errors.js";
import { type CompareOptions, compare } from "./compare/compare.js";
import { notes, tableOf } from "./compare/table.js";
import { showFaults } from "./faults/command.js";
import { type Cut, type Lab, type LabOptions, openLab } from "./lab.js";
import { lockLab } from "./lock.js";
import { allHosts, type HostName, labNamed } from "./names.js";
import { installPrograms, requireRoot } from "./requirements.js";

const usage = `npm run lab -- up | down | status | test [FILE...]
npm run lab -- shell HOST [COMMAND...]          as root, on one machine
npm run lab -- off | boot | replace HOST
npm run lab -- freeze | thaw HOST
npm run lab -- cut HOST [others|operator|all] [both|in|out]
npm run lab -- heal [HOST]
npm run lab -- fill | empty HOST                the disk at /var/lib/raftctl
npm run lab -- image                            only what the machines are made of; takes minutes once
npm run lab -- compare [--json]                 restarts in four ways; takes minutes, empties the machines
npm run lab -- faults [--operation NAME]... [--fault NAME]... [--seed S] [--json]
                                                each during each; takes an hour, empties the machines

RAFTCTL_LAB=labtest,10.78.0 names another lab than the usual one, raftlab,10.77.0.`;

/** Returns the exit code. */
export async function main(
	argv: readonly string[],
	root: string,
): Promise<number> {
	const [verb = "", ...words] = argv;
	const tell = (line: string) => console.error(line);
	try {
		const which = labNamed(process.env.RAFTCTL_LAB);
		if (verb === "test") return await test(root, words);
		const lab = () => opened({ ...which, root, tell });
		if (verb === "status") return await showStatus(await lab());
		if (verb === "shell") return await shell(await lab(), words);
		const change = changes[verb];
		if (change === undefined) {
			tell(usage);
			return 2;
		}
		const lock = await lockLab(which.name, {
			as: `npm run lab -- ${argv.join(" ")} (pid ${process.pid})`,
			waitMs: 0,
		});
		try {
			const code = await change(await lab(), words, { root, tell });
			return typeof code === "number" ? code : 0;
		} finally {
			await lock.release();
		}
	} catch (error) {
		if (!(error instanceof OperatorError)) throw error;
		const { message, problems, state, next } = error;
		for (const line of [message, ...problems, state, next])
			if (line !== undefined) tell(line);
		return error.exitCode;
	}
}

async function opened(options: LabOptions): Promise<Lab> {
	requireRoot();
	await installPrograms(options.tell ?? (() => {}));
	return await openLab(options);
}

/** Resolves with an exit code, if it is another than 0. */
type Change = (
	lab: Lab,
	words: readonly string[],
	outside: Outside,
) => Promise<void> | Promise<number>;

interface Outside {
	/** The checkout. */
	readonly root: string;
	readonly tell: (line: string) => void;
}

const changes: Readonly<Record<string, Change>> = {
	async up(lab, _words, { tell }) {
		const began = performance.now();
		await lab.up();
		tell(`up after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
		await showStatus(lab);
		tell(`ssh -F ${lab.access.config} h1`);
	},
	down: (lab) => lab.down(),
	off: (lab, [host]) => lab.powerOff(hostIn(host)),
	boot: (lab, [host]) => lab.boot(hostIn(host)),
	replace: (lab, [host]) => lab.replace(hostIn(host)),
	freeze: (lab, [host]) => lab.freeze(hostIn(host)),
	thaw: (lab, [host]) => lab.thaw(hostIn(host)),
	cut: (lab, [host, from = "others", direction = "both"]) =>
		lab.cut(hostIn(host), {
			from: oneOf(["others", "operator", "all"], from),
			direction: oneOf(["both", "in", "out"], direction),
		} satisfies Cut),
	heal: (lab, [host]) =>
		lab.heal(host === undefined ? undefined : hostIn(host)),
	fill: (lab, [host]) => lab.fillDisk(hostIn(host)),
	empty: (lab, [host]) => lab.emptyDisk(hostIn(host)),
	async image(lab, _words, { tell }) {
		tell(await lab.image());
	},
	compare: (lab, words, outside) =>
		withRaftctl(lab, outside, (raftctl) =>
			showComparison(lab, words, { ...outside, raftctl }),
		),
	faults: (lab, words, outside) =>
		withRaftctl(lab, outside, (raftctl) =>
			showFaults(lab, words, { ...outside, raftctl }),
		),
};

/** On machines that are up, with the raftctl that was built; they are down afterwards if they were before. */
async function withRaftctl<T>(
	lab: Lab,
	{ root }: Outside,
	act: (raftctl: string) => Promise<T>,
): Promise<T> {
	const raftctl = process.env.RAFTCTL_MAIN ?? join(root, "dist/raftctl.cjs");
	if (!existsSync(raftctl))
		throw new OperatorError("refused", `${raftctl} is missing`, {
			next: "npm run build",
		});
	const wasUp = (await lab.status()).some(({ state }) => state !== "off");
	try {
		await lab.up();
		return await act(raftctl);
	} finally {
		if (!wasUp) await lab.down();
	}
}

async function showComparison(
	lab: Lab,
	words: readonly string[],
	options: CompareOptions,
): Promise<void> {
	const json = words.map((word) => oneOf(["--json"], word)).length > 0;
	const comparison = await compare(lab, options);
	if (json) console.log(JSON.stringify(comparison));
	else
		for (const line of [...tableOf(comparison), "", ...notes])
			console.log(line);
}

async function showStatus(lab: Lab): Promise<number> {
	for (const { name, address, state, cutFrom } of await lab.status())
		console.log(
			`${name}  ${address.padEnd(12)}  ${state}${cutFrom.length > 0 ? `, cut from ${cutFrom.join(", ")}` : ""}`,
		);
	return 0;
}

async function shell(
	lab: Lab,
	[host, ...command]: readonly string[],
): Promise<number> {
	const [program = "", ...args] = [
		...(await lab.entry(hostIn(host))),
		...(command.length > 0 ? command : ["bash", "--login"]),
	];
	return await attached(program, args);
}

/** The tests of the lab, in the lab: what `npm run test:lab` does. */
async function test(root: string, files: readonly string[]): Promise<number> {
	return await attached(process.execPath, [
		...[join(root, "node_modules/vitest/vitest.mjs"), "run", "--root", root],
		...["--config", "test/lab/vitest.config.ts", ...files],
	]);
}

async function attached(
	program: string,
	args: readonly string[],
): Promise<number> {
	const child = spawn(program, args, { stdio: "inherit" });
	const [code] = (await once(child, "exit")) as [number | null];
	return code ?? 1;
}

function hostIn(word: string | undefined): HostName {
	return oneOf(allHosts, word ?? "");
}

function oneOf<const T extends string>(words: readonly T[], word: string): T {
	const found = words.find((each) => each === word);
	if (found !== undefined) return found;
	throw new OperatorError(
		"usage",
		word === ""
			? `one of these is missing: ${words.join(", ")}`
			: `"${word}" is none of ${words.join(", ")}`,
	);
}
