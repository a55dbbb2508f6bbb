import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { main } from "../cli/raftctl.js";
import { type Block, blocksOf, pages } from "../docs-pages.js";
import { LocalCluster } from "./local-cluster.js";

/**
 * The blocks of the guides that are marked as ```sh run, given one after the other to a real bash, as a reader would
 * paste them: beside a cluster that is up, or in an empty directory where the first one begins with `raftctl init`.
 */
const guides = pages
	.map((page) => ({
		page,
		blocks: blocksOf(page).filter(({ info }) => /^sh run\b/.test(info)),
	}))
	.filter(({ blocks }) => blocks.length > 0);

describe("the guides", () => {
	it("have examples that are run", () => {
		expect(guides.map(({ page }) => page)).toEqual(
			expect.arrayContaining([
				...["README.md", "docs/membership.md", "docs/operations.md"],
				...["docs/recover.md", "docs/rolling-restart.md", "docs/snapshots.md"],
			]),
		);
	});

	it("name only scenes that there are", () => {
		const named = guides
			.flatMap(({ blocks }) => blocks)
			.map(({ info }) => info.split(" ")[2] ?? "");
		expect(named.filter((scene) => !Object.hasOwn(scenes, scene))).toEqual([]);
	});

	// Most of their time is waiting, and each has a cluster of its own.
	it.concurrent.for(
		guides.map(({ page, blocks }, at) => [page, blocks, at] as const),
	)(
		"%s can be followed to the letter",
		{ timeout: 600_000 },
		async ([, blocks, at], { onTestFinished }) => {
			const portBase = 22_000 + 100 * at;
			const cluster = await LocalCluster.create({ portBase });
			onTestFinished(() => cluster.dispose());
			const { directory } = cluster;
			if (blocks[0]?.text.includes("raftctl init")) rmSync(cluster.file);
			else await cluster.succeed(["up"]);
			for (const block of blocks) {
				const [, , scene = ""] = block.info.split(" ");
				await scenes[scene]?.(cluster);
				await follow(block, { directory, portBase });
			}
		},
	);
});

/** What has happened before a block is followed, by the word behind ```sh run. */
const scenes: Readonly<
	Record<string, (cluster: LocalCluster) => Promise<void>>
> = {
	"": async () => undefined,
	/** An operator, in the midst of a rolling restart. */
	async killed(cluster) {
		const { child, done } = cluster.start([
			...["rolling-restart", "--yes", "-o", "ndjson"],
		]);
		let text = "";
		child.stdout?.on("data", (piece: Buffer) => {
			text += piece;
			if (/"step-started","step":"\w+\/drain"/.test(text))
				child.kill("SIGKILL");
		});
		expect(await done).toMatchObject({ exitCode: null });
	},
	/** A majority, with its disks. */
	async lost(cluster) {
		for (const id of ["n1", "n2"]) {
			await cluster.signal(id, "SIGKILL");
			const data = await cluster.dataOf(id);
			rmSync(data, { recursive: true });
		}
	},
};

interface Place {
	readonly directory: string;
	readonly portBase: number;
}

/** Ports are those of the test: files run at the same time. */
async function follow(
	{ page, line, text }: Block,
	{ directory, portBase }: Place,
): Promise<void> {
	const script = text
		.replace(/localhost:71(\d\d)\b/g, (_, last: string) => {
			return `localhost:${portBase + Number(last)}`;
		})
		.replace(/(--(?:erase|cluster-name)) orders\b/g, `$1 e2e-${portBase}`);
	const child = spawn("bash", ["-e", "-u", "-o", "pipefail", "-c", script], {
		cwd: directory,
		env: {
			...process.env,
			PATH: `${shims(directory, portBase)}:${process.env.PATH}`,
		},
		stdio: ["ignore", "pipe", "pipe"],
	});
	let said = "";
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding("utf8").on("data", (piece) => {
			said += piece;
		});
	const code = await new Promise((resolve) => child.on("close", resolve));
	expect({ where: `${page}:${line}`, code, said }).toMatchObject({ code: 0 });
}

/** raftctl and raftd on the PATH. Only `init` is told of the test's ports, and questions are answered with yes. */
function shims(directory: string, portBase: number): string {
	const bin = join(directory, ".bin");
	mkdirSync(bin, { recursive: true });
	const told = `if [ "$1" = init ]; then set -- "$@" --port-base ${portBase}; else set -- "$@" --yes; fi\n`;
	const programs = {
		raftctl: `${told}exec '${process.execPath}' '${main}' "$@"\n`,
		raftd: `exec '${process.execPath}' '${join(main, "..", "daemon", "main.js")}' "$@"\n`,
	};
	for (const [name, script] of Object.entries(programs)) {
		writeFileSync(join(bin, name), `#!/bin/sh\n${script}`);
		chmodSync(join(bin, name), 0o755);
	}
	return bin;
}
