import { createHash } from "node:crypto";
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import type { Ground } from "./ground.js";
import { type Choice, type Piece, three } from "./piece.js";

/** What stays the same in all that has to do with a snapshot's file. */
const beside = { goal: three, starts: {} } as const;
const kinds = { needs: three, isJournaled: false, isUnlocked: true } as const;
const keep = 2;

/** The commands that make, check and remove files on the operator's machine. */
export const filePieces: readonly Piece[] = [
	{
		...{ name: "snapshot-save", ...kinds },
		choose: (_, random, ground) => {
			const file = join(
				ground.directory,
				`${random.whole(0, 2 ** 40)}.snapshot`,
			);
			return saving(ground, file);
		},
	},
	{
		...{ name: "snapshot-verify", ...kinds },
		async choose(_members, _random, ground) {
			const [file = ""] = await saved(ground);
			const before = hashOf(file);
			return {
				...{ argv: ["snapshot", "verify", file], ...beside },
				faults: async () =>
					hashOf(file) === before ? [] : [`${file} differs`],
			};
		},
	},
	{
		...{ name: "snapshot-prune", ...kinds },
		choose: async (_, random, ground) =>
			pruning(
				join(ground.directory, `backups-${random.whole(0, 2 ** 40)}`),
				await saved(ground),
			),
	},
];

/** The file is whole under its name or not there; of the unfinished one the guide says that people remove it. */
function saving(ground: Ground, file: string): Choice {
	const whole = async () => {
		const verified = await ground.run(["snapshot", "verify", file]);
		return verified.exitCode === 0 ? [] : [`${file} is there and not whole`];
	};
	return {
		...{ argv: ["snapshot", "save", "--file", file], ...beside },
		async tidy() {
			const faults = existsSync(file) ? await whole() : [];
			for (const path of [file, `${file}.part`]) rmSync(path, { force: true });
			return faults;
		},
		async faults() {
			const faults = existsSync(file) ? await whole() : [`${file} is missing`];
			if (existsSync(`${file}.part`)) faults.push(`${file}.part was left`);
			rmSync(file, { force: true });
			return faults;
		},
	};
}

/** The oldest go; the newest, and whatever is no whole snapshot of this cluster, stay as they are. */
function pruning(directory: string, originals: readonly string[]): Choice {
	mkdirSync(directory);
	for (const path of originals)
		copyFileSync(path, join(directory, basename(path)));
	const newest = readFileSync(originals.at(-1) ?? "");
	const half = newest.subarray(0, newest.length >> 1);
	writeFileSync(join(directory, "half.snapshot"), half);
	writeFileSync(join(directory, "notes.txt"), "of ours\n");
	const kept = [
		...originals.slice(-keep).map((path) => basename(path)),
		...["half.snapshot", "notes.txt"],
	];
	const hashes = () =>
		kept.map((name) => `${name} ${hashOf(join(directory, name))}`);
	const before = hashes();
	const damage = () =>
		hashes().flatMap((now, at) =>
			now === before[at] ? [] : [`${now} in ${directory} was ${before[at]}`],
		);
	return {
		argv: [
			...["snapshot", "prune", "--directory", directory],
			...["--keep", `${keep}`, "--yes"],
		],
		...beside,
		tidy: async () => damage(),
		async faults() {
			const found = readdirSync(directory).sort().join();
			const faults = damage();
			if (found !== [...kept].sort().join())
				faults.push(`prune left ${found} in ${directory}`);
			rmSync(directory, { recursive: true });
			return faults;
		},
	};
}

const savedOf = new WeakMap<Ground, Promise<readonly string[]>>();

/** Snapshots of this cluster at rising indexes, saved once for all rounds. */
function saved(ground: Ground): Promise<readonly string[]> {
	const made = savedOf.get(ground) ?? save(ground, 2 * keep);
	savedOf.set(ground, made);
	return made;
}

async function save(ground: Ground, count: number): Promise<readonly string[]> {
	const files: string[] = [];
	for (let number = 0; number < count; number++) {
		const file = join(ground.directory, `original-${number}.snapshot`);
		await ground.succeed(["snapshot", "save", "--file", file]);
		files.push(file);
	}
	return files;
}

/** "gone" for a file that is not there. */
function hashOf(path: string): string {
	if (!existsSync(path)) return "gone";
	return createHash("sha256").update(readFileSync(path)).digest("hex");
}
