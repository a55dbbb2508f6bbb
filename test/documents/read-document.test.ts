import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readDocument } from "../../src/documents/read-document.js";
import { OperatorError } from "../../src/errors.js";

const schema = z.strictObject({
	name: z.string(),
	port: z.number().int().min(1).optional(),
	parts: z.array(z.strictObject({ id: z.string() })).default([]),
});

function problemsOf(text: string): readonly string[] {
	try {
		readDocument(text, "file.yaml", schema);
	} catch (error) {
		if (error instanceof OperatorError) {
			expect(error.kind).toBe("config");
			expect(error.exitCode).toBe(2);
			return error.problems;
		}
		throw error;
	}
	return [];
}

describe("a document read by a schema", () => {
	it("gives the value, with defaults, and the places of its parts", () => {
		const document = readDocument(
			"name: demo\nparts:\n  - id: a\n",
			"file.yaml",
			schema,
		);
		expect(document.value).toEqual({ name: "demo", parts: [{ id: "a" }] });
		expect(document.locate(["parts", 0, "id"])).toBe("file.yaml:3:9");
		expect(document.locate(["parts", 0, "absent"])).toBe("file.yaml:3:5");
		expect(document.locate(["port"])).toBe("file.yaml:1:1");
	});

	it("reports all mistakes at once, in the order of the file", () => {
		expect(problemsOf("port: high\nnaem: demo\nparts:\n  - idd: a\n")).toEqual([
			'file.yaml:1:1 "name" is missing at the top level; it must be text',
			'file.yaml:1:7 port must be a number; found "high"',
			'file.yaml:2:1 unknown key "naem"; did you mean "name"?',
			'file.yaml:4:5 "id" is missing in parts[0]; it must be text',
			'file.yaml:4:5 unknown key "idd" in parts[0]; did you mean "id"?',
		]);
	});

	it.each([
		[
			"number where text belongs",
			"name: 12\n",
			"file.yaml:1:7 name must be text; found the number 12, put it in quotes if it is meant",
		],
		[
			"nothing after the colon",
			"name:\n",
			"file.yaml:1:6 name must be text; there is nothing after the colon",
		],
		[
			"list where text belongs",
			"name: [a]\n",
			"file.yaml:1:7 name must be text; found a list",
		],
		[
			"number out of bounds",
			"name: a\nport: 0\n",
			"file.yaml:2:7 port must be at least 1; found 0",
		],
		[
			"fraction",
			"name: a\nport: 1.5\n",
			"file.yaml:2:7 port must be a whole number; found the number 1.5",
		],
	])("says what was found instead: a %s", (_, text, problem) => {
		expect(problemsOf(text)).toEqual([problem]);
	});
});

describe("a document that is hardly one", () => {
	it.each([
		["empty", "", "1:1 there is nothing in it"],
		["only a comment", "# nothing\n", "1:1 there is nothing in it"],
		["only null", "~\n", "1:1 there is nothing in it"],
		["a list", "- a\n", "1:1 the file must be a mapping"],
		["a word", "hello\n", "1:1 the file must be a mapping"],
		["indented by a tab", "name:\n\tfoo: a\n", "2:1 a tab indents this line"],
		["a key twice", "name: a\nname: b\n", "2:1 this key is there twice"],
		[
			"two documents",
			"name: a\n---\nname: b\n",
			"2:1 a second document begins here",
		],
		["an unclosed quote", 'name: "a\n', "2:1 is not YAML"],
		[
			"an alias without an anchor",
			"name: *a\n",
			"1:7 the alias *a has no anchor",
		],
		[
			"an alias that contains itself",
			"name: &a [*a]\n",
			"1:11 the alias *a stands inside what it repeats",
		],
		["a million brackets", "[".repeat(1_000_000), "1:"],
	])("is refused with its place: %s", (_, text, problem) => {
		expect(problemsOf(text)[0]).toContain(`file.yaml:${problem}`);
	});

	it("does not let a few aliases grow into gigabytes", () => {
		const rows = ["a: &a [x, x, x, x, x, x, x, x, x]"];
		for (const [one, other] of ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"])
			rows.push(`${other}: &${other} [${Array(9).fill(`*${one}`).join(", ")}]`);
		expect(problemsOf(rows.join("\n"))).toEqual([
			expect.stringContaining("aliases expand to more than 100 copies"),
		]);
	});

	it("is refused where it says more than any real one, before its keys are compared", () => {
		const keys = Array.from({ length: 100_000 }, (_, at) => `k${at}:\n`);
		expect(problemsOf(keys.join(""))).toEqual([
			"file.yaml:3334:1 there is too much before this to be meant",
		]);
		const many = Array.from({ length: 500 }, (_, at) => `  - id: n${at}\n`);
		expect(problemsOf(`name: a\nparts:\n${many.join("")}`)).toEqual([]);
	});

	it("has its mistakes told in one short line, whatever it would do to a terminal", () => {
		const [unknown] = problemsOf('name: a\n"\u001b[2J\u009b1m\u202e": 1\n');
		expect(unknown).toContain("\\u001b[2J\\u009b1m\\u202e");
		const [long] = problemsOf(`name: *${"x".repeat(5000)}\n`);
		expect(long).toContain("the alias *xxx");
		expect(long?.length).toBeLessThan(1_010);
	});

	it("is read all the same behind a byte order mark", () => {
		const { value } = readDocument("\uFEFFname: a\n", "file.yaml", schema);
		expect(value.name).toBe("a");
	});

	it("ends in a value or in named mistakes, whatever the text", () => {
		const yamlish = fc
			.array(
				fc.constantFrom(
					"name",
					"parts",
					":",
					" ",
					"\n",
					"- ",
					"[",
					"]",
					"{",
					"}",
					"&a",
					"*a",
					'"',
					"'",
					"#",
					"\t",
					"id",
					"|",
					"?",
					"1",
					",",
				),
				{ maxLength: 40 },
			)
			.map((parts) => parts.join(""));
		fc.assert(
			fc.property(fc.oneof(yamlish, fc.string({ unit: "binary" })), (text) => {
				for (const problem of problemsOf(text))
					expect(problem).toMatch(/^file\.yaml:\d+:\d+ ./);
			}),
			{ numRuns: 500 },
		);
	});
});
