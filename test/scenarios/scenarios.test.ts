import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { perform } from "./commands.js";
import { parseScript, play, renderScript, titleOf } from "./script.js";
import { Stage } from "./stage.js";

/** `SCENARIOS=write` records anew what happens; what the scripts expect must hold all the same. */
const writes = process.env.SCENARIOS === "write";

const files = readdirSync(import.meta.dirname).filter((name) =>
	name.endsWith(".txt"),
);

describe("the core, in scenarios", () => {
	it.each(files)("plays as %s records it", (name) => {
		const path = join(import.meta.dirname, name);
		const text = readFileSync(path, "utf8");
		const parts = parseScript(text);
		expect(titleOf(parts)).toMatch(/\S/);
		const stage = new Stage();
		const played = play(parts, (command) => perform(stage, command));
		if (writes) writeFileSync(path, renderScript(played));
		else expect(renderScript(played)).toBe(text);
	});

	it.each(files)("claims something in %s", (name) => {
		const text = readFileSync(join(import.meta.dirname, name), "utf8");
		expect(text).toMatch(/^> expect /m);
	});
});
