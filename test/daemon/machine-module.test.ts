import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadMachine } from "../../src/daemon/machine-module.js";
import type { OperatorError } from "../../src/errors.js";

let directory: string;
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "raftd-app-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function moduleFile(name: string, text: string): string {
	const path = join(directory, `${name}.mjs`);
	writeFileSync(path, text);
	return path;
}

const counter = `{
	name: "counter",
	levels: { reads: [1, 1], writes: 1 },
	create: () => ({ value: 0 }),
	apply: (state) => { state.value++; return new Uint8Array(0); },
	query: (state) => new Uint8Array([state.value]),
	snapshot: () => [],
	restore: () => ({ value: 0 }),
}`;

async function refusal(path: string): Promise<OperatorError> {
	return await loadMachine(path).then(
		() => {
			throw new Error("the module was accepted");
		},
		(error: OperatorError) => error,
	);
}

describe("the application of a node", () => {
	it("is the key-value machine when none is named", async () => {
		expect((await loadMachine(null)).name).toBe("kv");
	});

	it("is the default export of the named module", async () => {
		const path = moduleFile("counter", `export default ${counter};`);
		const machine = await loadMachine(path);
		const state = machine.create();
		const context = { index: 1, level: 1, emit: () => {} };
		machine.apply(state, new Uint8Array(0), context);
		expect([...machine.query(state, new Uint8Array(0))]).toEqual([1]);
	});

	it("is refused with everything that its shape lacks", async () => {
		const path = moduleFile(
			"half",
			`export default { ...${counter}, name: "", apply: 1, levels: { reads: [2, 1], writes: 1 }, json: {} };`,
		);
		const error = await refusal(path);
		expect(error.kind).toBe("config");
		expect(error.problems).toEqual([
			"name is not a string",
			"levels.reads is not a range [from, to] of 1 to 255",
			"apply is not a function",
			"json.command is not a function",
			"json.query is not a function",
			"json.result is not a function",
			"json.answer is not a function",
			"json.event is not a function",
		]);
	});

	it("is refused when what it may leave out is there and no function", async () => {
		const path = moduleFile(
			"optional",
			`export default { ...${counter}, validate: 1, restorer: {}, digest: "d" };`,
		);
		expect((await refusal(path)).problems).toEqual([
			"validate is not a function",
			"restorer is not a function",
			"digest is not a function",
		]);
	});

	it("begins to count its levels at 1", async () => {
		const path = moduleFile(
			"zero",
			`export default { ...${counter}, levels: { reads: [0, 1], writes: 1 } };`,
		);
		expect((await refusal(path)).problems).toEqual([
			"levels.reads is not a range [from, to] of 1 to 255",
		]);
	});

	it("must write a level that it reads", async () => {
		const path = moduleFile(
			"level",
			`export default { ...${counter}, levels: { reads: [1, 2], writes: 3 } };`,
		);
		expect((await refusal(path)).problems).toEqual([
			"levels.writes is not within levels.reads",
		]);
	});

	it("is refused with what it misses, where, and what to type", async () => {
		const own = await refusal(
			moduleFile("own", 'import "raftctl/machine"; export default {};'),
		);
		const modules = join(directory, "node_modules");
		expect(own.message).toContain(
			`imports raftctl, which is neither in ${modules}`,
		);
		const root = resolve(import.meta.dirname, "../..");
		expect(own.next).toBe(
			`mkdir -p ${modules} && ln -s ${root} ${join(modules, "raftctl")}`,
		);
		const other = await refusal(
			moduleFile("other", 'import "@acme/left-pad/fast"; export default {};'),
		);
		expect(other.next).toBe(`npm install --prefix ${directory} @acme/left-pad`);
		const common = join(directory, "common.cjs");
		writeFileSync(common, 'require("raftctl/machine");');
		expect((await refusal(common)).next).toBe(own.next);
	});

	it("is refused when it exports nothing, is broken, or is not there", async () => {
		const empty = await refusal(moduleFile("empty", "export const a = 1;"));
		expect(empty.problems).toEqual(["the default export is not an object"]);
		const broken = await refusal(moduleFile("broken", "export default {"));
		expect(broken.message).toContain("cannot load the application");
		const missing = await refusal(join(directory, "missing.mjs"));
		expect(missing.message).toContain("cannot load the application");
		expect(missing.exitCode).toBe(2);
	});
});
