import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach } from "vitest";
import { stringify } from "yaml";
import { runWithFiles } from "../../../src/daemon/offline/command-line.js";
import type { FileWord } from "../../../src/daemon/offline/words.js";
import { OperatorError } from "../../../src/errors.js";
import { lifeOf, type Made, makeDirectory } from "../doctor/ground.js";

/** What a command said: its report, or its error. */
export interface Heard<Report> {
	readonly code: number;
	readonly report: Report;
	readonly error: {
		readonly kind: string;
		readonly message: string;
		readonly next?: string;
		readonly problems?: readonly string[];
	};
}

/** A directory for each test, and what raftd does with the files in it. Call it once in a file. */
export function filesGround() {
	const ground = { directory: "", at, run, text, made, saved, nodeFile };
	beforeEach(() => {
		ground.directory = mkdtempSync(join(tmpdir(), "offline-"));
	});
	afterEach(() => rmSync(ground.directory, { recursive: true, force: true }));

	function at(name: string): string {
		return join(ground.directory, name);
	}

	async function run<Report>(
		word: FileWord,
		...argv: string[]
	): Promise<Heard<Report>> {
		const stdout = new Collector();
		const code = await runWithFiles(word, [...argv, "--json"], {
			...{ stdout, stderr: stdout },
		});
		const said = JSON.parse(stdout.text);
		return { code, report: said, error: said.error };
	}

	/** The same for people; an error is its sentence. */
	async function text(word: FileWord, ...argv: string[]): Promise<string> {
		const stdout = new Collector();
		try {
			await runWithFiles(word, argv, { stdout, stderr: stdout });
		} catch (error) {
			if (!(error instanceof OperatorError)) throw error;
			return error.message;
		}
		return stdout.text.replaceAll(ground.directory, "DIR");
	}

	/** A data directory, as a node leaves it. */
	async function made(name: string, holds: Made): Promise<string> {
		const directory = at(name);
		mkdirSync(directory);
		await makeDirectory(directory, holds);
		return directory;
	}

	/** A snapshot's file of a cluster c-test, after `count` entries. */
	async function saved(name = "saved.snapshot", count = 100): Promise<string> {
		const directory = await made(`${name}.origin`, { entries: lifeOf(count) });
		const path = at(name);
		const { code, error } = await run(
			...(["snapshot", "export", "--data-dir", directory] as const),
			...["--out", path],
		);
		if (code !== 0) throw new Error(JSON.stringify(error));
		return path;
	}

	function nodeFile(id: string, changes: Record<string, unknown> = {}): string {
		const members = ["n1", "n2", "n3"].map((member, place) => ({
			...{ id: member, role: member === "n3" ? "learner" : "voter" },
			peer: `127.0.0.1:${7000 + 3 * place}`,
			client: `127.0.0.1:${7001 + 3 * place}`,
			admin: `127.0.0.1:${7002 + 3 * place}`,
		}));
		const path = at(`${id}.yaml`);
		const own = members.find((member) => member.id === id);
		writeFileSync(
			path,
			stringify({
				cluster: { id: "c-new", name: "new" },
				...{ node: id, data: at(`${id}-data`), members },
				listen: { peer: own?.peer, client: own?.client, admin: own?.admin },
				limits: { segmentBytes: 65_536 },
				...changes,
			}),
		);
		return path;
	}

	return ground;
}

class Collector extends Writable {
	text = "";

	override _write(chunk: Buffer, _encoding: string, done: () => void): void {
		this.text += chunk.toString("utf8");
		done();
	}
}
