import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Host, RunOptions, RunResult } from "../../src/hosts/host.js";

type Program = (argv: readonly string[]) => RunResult | null;

/** The files of one host in memory, with as much of a shell's programs as operations use; renames are atomic. */
export class FakeFiles {
	readonly files = new Map<string, string>();
	/** Every command that was run. */
	readonly log: string[] = [];
	/** Answers for what is not a file program. */
	program: Program = () => null;
	/** Directories that nobody has changed for days. */
	readonly old = new Set<string>();
	/** Copies fail as on a full disk. */
	isFull = false;

	host(name: string): Host {
		return {
			name,
			run: async (argv, options) => this.#run(argv, options),
			upload: async (path, content) => {
				this.files.set(path, Buffer.from(content).toString("utf8"));
			},
			send: async (path, source) => {
				const text = await readFile(source, "utf8");
				this.files.set(path, text);
				return { sentBytes: text.length, present: false };
			},
			fetch: async (path, target) => {
				const text = this.files.get(path);
				if (text === undefined) return null;
				await mkdir(dirname(target), { recursive: true });
				await writeFile(target, text);
				return { receivedBytes: text.length, present: false };
			},
			read: async (path) => {
				const text = this.files.get(path);
				return text === undefined ? null : Buffer.from(text);
			},
			close: async () => undefined,
		};
	}

	below(path: string): readonly string[] {
		return [...this.files.keys()].filter((name) => name.startsWith(`${path}/`));
	}

	move(from: string, to: string): void {
		const single = this.files.get(from);
		if (single !== undefined) {
			this.files.delete(from);
			this.files.set(to, single);
		}
		for (const name of this.below(from)) {
			this.files.set(to + name.slice(from.length), this.files.get(name) ?? "");
			this.files.delete(name);
		}
	}

	remove(path: string): void {
		this.files.delete(path);
		for (const name of this.below(path)) this.files.delete(name);
	}

	isThere(path: string): boolean {
		return this.files.has(path) || this.below(path).length > 0;
	}

	#run(argv: readonly string[], { stdin }: RunOptions): RunResult {
		this.log.push(argv.join(" "));
		const own = this.program(argv);
		if (own !== null) return own;
		const [program, ...words] = argv;
		const flags = words.filter((word) => word.startsWith("-"));
		const [first = "", second = ""] = words.filter(
			(word) => !word.startsWith("-"),
		);
		switch (program) {
			case "mv":
				return this.#mv(first, second);
			case "cp":
				if (this.isFull) return failed("No space left on device");
				if (!this.files.has(first)) return failed("No such file");
				this.files.set(second, this.files.get(first) ?? "");
				return succeeded("");
			case "rm":
				for (const word of words) this.remove(word);
				return succeeded("");
			case "ls":
				return this.#ls(first);
			case "find":
				return succeeded([...this.old].map((path) => `${path}\n`).join(""));
			case "mkdir":
				return succeeded("");
			case "tee":
				if (this.below(dirname(first)).length === 0)
					return failed("No such file or directory");
				this.files.set(first, Buffer.from(stdin ?? []).toString("utf8"));
				return succeeded("");
		}
		return failed(`${program} ${flags}: no such program`, 127);
	}

	#mv(from: string, to: string): RunResult {
		if (!this.isThere(from)) return failed("No such file or directory");
		if (this.below(to).length > 0) return failed("Directory not empty");
		this.move(from, to);
		return succeeded("");
	}

	#ls(path: string): RunResult {
		if (this.files.has(path)) return succeeded(`${path}\n`);
		const names = new Set(
			this.below(path).map((name) => name.slice(path.length + 1).split("/")[0]),
		);
		return names.size === 0
			? failed("No such file or directory", 2)
			: succeeded([...names].map((name) => `${name}\n`).join(""));
	}
}

export function succeeded(stdout: string): RunResult {
	return { exitCode: 0, stdout, stderr: "" };
}

export function failed(stderr: string, exitCode = 1): RunResult {
	return { exitCode, stdout: "", stderr };
}
