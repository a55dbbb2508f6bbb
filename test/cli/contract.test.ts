import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import type { CommandEntry } from "../../src/cli/command-table.js";
import { exitCodes } from "../../src/errors.js";
import { commandTable } from "./commands.js";
import { ndjsonLines } from "./ndjson-lines.js";
import { type Outcome, raftctl } from "./raftctl.js";

let directory: string;

beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-contract-"));
});

afterAll(() => rmSync(directory, { recursive: true }));

/** These need no cluster file, and would do what they are there for. */
const selfSufficient = ["autocomplete", "autocomplete:words", "demo", "init"];

const commands = commandTable.commands.map(
	(command) => [command.id.replaceAll(":", " "), command] as const,
);

function run(words: readonly string[]): Promise<Outcome> {
	return raftctl(words, { directory });
}

/** Something in the place of every argument that the command insists on. */
function filled({ id, args }: CommandEntry): readonly string[] {
	return [
		...id.split(":"),
		...Object.values(args)
			.filter(({ required }) => required)
			.map(({ options }) => options?.[0] ?? "n1"),
	];
}

function expectFailure({ code, stderr }: Outcome, error: unknown): void {
	const { kind, message } = error as { kind: keyof typeof exitCodes } & {
		message: string;
	};
	expect(kind).not.toBe("unexpected");
	expect(message).toMatch(/\S.*[^.]$/s);
	expect({ code, stderr }).toEqual({ code: exitCodes[kind], stderr: "" });
}

describe.each(commands)("raftctl %s", (name, command) => {
	it("explains itself, with an example", async () => {
		const { code, stdout, stderr } = await run([...name.split(" "), "--help"]);
		expect(stdout).toContain(command.summary);
		expect(stdout).toMatch(/^EXAMPLES$/m);
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	});

	it("says to a machine what is wrong with the command line", async () => {
		const words = [...name.split(" "), "--no-such-flag", "--json"];
		const outcome = await run(words);
		const { error } = JSON.parse(outcome.stdout);
		expect(error).toMatchObject({
			...{ kind: "usage", state: "nothing was touched" },
			next: `raftctl ${name} --help`,
		});
		expectFailure(outcome, error);
	});

	if (!selfSufficient.includes(command.id))
		it("says to a machine that there is no cluster file", async () => {
			const words = filled(command);
			const [yaml, ndjson] = await Promise.all([
				run([...words, "-o", "yaml"]),
				run([...words, "-o", "ndjson"]),
			]);
			expectFailure(yaml, parseYaml(yaml.stdout).error);
			const [line, ...more] = ndjsonLines(ndjson.stdout);
			expect(more).toEqual([]);
			expectFailure(ndjson, line?.error);
		});
});
