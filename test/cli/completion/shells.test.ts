import { spawnSync } from "node:child_process";
import {
	chmodSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { main, raftctl } from "../raftctl.js";

let directory: string;
let environment: Record<string, string>;

beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-completion-"));
	const bin = join(directory, "bin");
	mkdirSync(bin);
	mkdirSync(join(directory, "data"));
	writeFileSync(join(directory, "other.yaml"), "");
	writeFileSync(
		join(directory, "cluster.yaml"),
		"name: demo\nid: demo-1\nnodes: [north1, south2, west3]\n",
	);
	const program = join(bin, "raftctl");
	writeFileSync(
		program,
		`#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`,
	);
	chmodSync(program, 0o755);
	environment = {
		...{ PATH: `${bin}:${process.env.PATH}`, HOME: directory, TERM: "dumb" },
	};
});

afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a script of a shell, and returns the lines that it prints. */
function lines(shell: string, argv: readonly string[]): readonly string[] {
	const { stdout, stderr, status } = spawnSync(shell, argv, {
		...{ cwd: directory, env: environment, encoding: "utf8" },
	});
	expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
	return stdout.split("\n").filter((line) => line !== "");
}

/** Without it the test would say nothing; where the project is proven it must be there (scripts/test.sh). */
function isMissing(shell: string): boolean {
	const missing = spawnSync("which", [shell]).status !== 0;
	return missing && process.env.CI !== "true";
}

describe("raftctl autocomplete", () => {
	it.each(["bash", "zsh", "fish"])("prints a script for %s", async (shell) => {
		const { code, stdout } = await raftctl(["autocomplete", shell], {
			directory,
		});
		expect(stdout).toContain("raftctl autocomplete words --");
		expect(code).toBe(0);
	});

	it("knows no other shell", async () => {
		const { code, stderr } = await raftctl(["autocomplete", "fihs"], {
			directory,
		});
		expect(stderr).toContain('<shell> cannot be "fihs"');
		expect(stderr).toContain('did you mean "fish"?');
		expect(code).toBe(2);
	});

	it("says the next words to a script of one's own, too", async () => {
		const { stdout } = await raftctl(
			["autocomplete", "words", "--json", "--", "drain", "-n", "north1", "-n"],
			{ directory },
		);
		expect(JSON.parse(stdout)).toEqual({ words: [], others: "words" });
	});

	it("says nothing of a cluster file with mistakes", async () => {
		const { code, stdout, stderr } = await raftctl(
			["autocomplete", "words", "--", "drain", "-c", "other.yaml", ""],
			{ directory },
		);
		expect({ code, stdout, stderr }).toEqual({
			...{ code: 0, stdout: ":words\n", stderr: "" },
		});
	});
});

/** What bash sets when Tab is pressed. Without a registered function there would be nothing to offer. */
const pressTab = `
	complete -p raftctl >/dev/null || exit 9
	COMP_WORDS=(raftctl "$@"); COMP_CWORD=$#
	_raftctl
	printf "%s\\n" "\${COMPREPLY[@]}"`;

describe.skipIf(isMissing("bash"))("bash", () => {
	function offered(...words: readonly string[]): readonly string[] {
		return lines("bash", [
			"--norc",
			"-c",
			["source <(raftctl autocomplete bash)", pressTab].join("\n"),
			"bash",
			...words,
		]);
	}

	it("is offered commands, flags, values, nodes and files", () => {
		expect(offered("vali")).toEqual(["validate"]);
		expect(offered("kv", "")).toEqual(["delete", "get", "list", "put"]);
		expect(offered("status", "--verb")).toEqual(["--verbose"]);
		expect(offered("status", "-o", "j")).toEqual(["json"]);
		expect(offered("drain", "")).toEqual(["north1", "south2", "west3"]);
		expect(offered("drain", "n", "-n", "s")).toEqual(["south2"]);
		expect(offered("status", "-c", "o")).toEqual(["other.yaml"]);
		expect(offered("doctor", "--data-dir", "d")).toEqual(["data"]);
	});

	it("is offered the rest of a flag with its value, which bash sees as three words", () => {
		expect(offered("status", "--output", "=", "nd")).toEqual(["ndjson"]);
		expect(offered("drain", "--node", "=")).toHaveLength(3);
		expect(offered("status", "--config", "=", "oth")).toEqual(["other.yaml"]);
	});
});

describe.skipIf(isMissing("fish"))("fish", () => {
	function offered(line: string): readonly string[] {
		return lines("fish", [
			"--no-config",
			"-c",
			`raftctl autocomplete fish | source; complete -C '${line}'`,
		]);
	}

	it("is offered commands, flags, values, nodes and files, with what they mean", () => {
		expect(offered("raftctl vali")).toEqual([
			"validate\tCheck the cluster file; name every mistake.",
		]);
		expect(offered("raftctl status -o j")).toEqual(["json"]);
		expect(offered("raftctl status --output=nd")).toEqual(["--output=ndjson"]);
		expect(offered("raftctl drain ")).toEqual([
			...["north1\tnode", "south2\tnode", "west3\tnode"],
		]);
		expect(offered("raftctl status -c o").join()).toContain("other.yaml");
		expect(offered("raftctl status --config=o").join()).toContain(
			"--config=other.yaml",
		);
	});
});

describe.skipIf(isMissing("zsh"))("zsh", () => {
	/** A real interactive zsh on a terminal of its own: types the line and Tab, and shows how the line looks then. */
	function typed(line: string): string {
		const script = [
			"zmodload zsh/zpty",
			"zpty shell zsh -f -i",
			'say() { zpty -w shell "$1"; }',
			'until_seen() { local all= piece; while zpty -r shell piece; do all+=$piece; [[ $all == *"$1"* ]] && return; done }',
			"say \"PS1=; autoload -Uz compinit; compinit -u -D; source <(raftctl autocomplete zsh); show() { print -r -- \\\"<\\$BUFFER>\\\"; zle kill-whole-line; zle accept-line }; zle -N show; bindkey '^X' show; print re''ady\"",
			"until_seen ready",
			`zpty -n -w shell '${line}'$'\\t\\x18'`,
			'all=; while zpty -r shell piece; do all+=$piece; [[ $all == *"<"*">"* ]] && break; done',
			'print -r -- "$all"',
			"zpty -d shell",
		].join("\n");
		const [seen = ""] =
			/<[^<>]*>/.exec(lines("zsh", ["-f", "-c", script]).join("")) ?? [];
		return seen;
	}

	it("completes commands, flags, values, nodes and files on the line", () => {
		expect(typed("raftctl vali")).toBe("<raftctl validate >");
		expect(typed("raftctl status --verb")).toBe("<raftctl status --verbose >");
		expect(typed("raftctl status -o j")).toBe("<raftctl status -o json >");
		expect(typed("raftctl drain s")).toBe("<raftctl drain south2 >");
		expect(typed("raftctl status -c oth")).toBe(
			"<raftctl status -c other.yaml >",
		);
	});
});
