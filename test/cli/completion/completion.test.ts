import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	type Completion,
	complete,
	configOf,
} from "../../../src/cli/completion/completion.js";
import { commandTable } from "../commands.js";

function completed(line: string): Completion {
	return complete(line.split(" "), commandTable);
}

function words(line: string): readonly string[] {
	return completed(line).candidates.map(({ word }) => word);
}

describe("the words that may come next", () => {
	it.each([
		["stat", ["status"]],
		["kv ", ["delete", "get", "list", "put"]],
		["kv g", ["get"]],
		["help kv p", ["put"]],
		["kv get a --cons", ["--consistency"]],
		["kv get a --consistency ", ["linearizable", "stale"]],
		["kv get a --consistency=s", ["--consistency=stale"]],
		["status -o j", ["json"]],
		["status --output=", expect.arrayContaining(["--output=ndjson"])],
		["up --dry-run --d", ["--detailed-exitcode"]],
		["autocomplete ", ["bash", "zsh", "fish"]],
		["autocomplete f", ["fish"]],
		["nonsense ", []],
		["kv get -- --", []],
		["-x", []],
	])("of %j are %j", (line, expected) => {
		expect(words(line)).toEqual(expected);
	});

	it("say what each one means", () => {
		expect(completed("valid").candidates).toEqual([
			{
				word: "validate",
				summary: "Check the cluster file; name every mistake.",
			},
		]);
	});

	it("are no flag twice, except where it may be given twice", () => {
		expect(words("up --dry-run --")).not.toContain("--dry-run");
		expect(words("drain --node n1 --n")).toEqual(["--node"]);
		expect(words("drain -n n1 --n")).toEqual(["--node"]);
		expect(words("status -o json --o")).toEqual([]);
	});

	it.each([
		["drain ", "nodes", ""],
		["drain --node ", "nodes", ""],
		["drain --node=n", "nodes", "--node="],
		["drain n1 ", null, ""],
		["transfer-leader --to ", "nodes", ""],
		["status -c ", "files", ""],
		["status --config=x", "files", "--config="],
		["doctor --data-dir ", "directories", ""],
		["drain --for ", null, ""],
		["kv get ", null, ""],
	])("behind %j may be %s", (line, more, prefix) => {
		expect(completed(line)).toMatchObject({ more, prefix });
	});

	it("hold back what is hidden", () => {
		expect(words("autocomplete ")).not.toContain("words");
		expect(words("a")).toContain("autocomplete");
	});

	it("begin with what was typed, whatever it was", () => {
		const known = ["", "-", "--", "kv", "get", "drain", "-n", "--node=", "=x"];
		const word = fc.oneof(fc.constantFrom(...known), fc.string());
		fc.assert(
			fc.property(fc.array(word, { maxLength: 6 }), (typed) => {
				const { candidates } = complete(typed, commandTable);
				for (const candidate of candidates)
					expect(candidate.word.startsWith(typed.at(-1) ?? "")).toBe(true);
			}),
		);
	});
});

describe("the cluster file of a line that is being typed", () => {
	it.each([
		["drain -c a.yaml n", "a.yaml"],
		["drain --config b.yaml n", "b.yaml"],
		["drain --config=c.yaml n", "c.yaml"],
		["drain -cd.yaml n", "d.yaml"],
		["drain n", "cluster.yaml"],
		["drain n -c", "cluster.yaml"],
	])("%j is %s", (line, file) => {
		expect(configOf(line.split(" "), "cluster.yaml")).toBe(file);
	});
});
