import {
	cpSync,
	existsSync,
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { main, raftctl } from "./raftctl.js";

const built = dirname(dirname(main));
const programs = ["raftctl.cjs", "cli.cjs", "help.cjs"];
let directory: string;
/** The package, where its name is no easy one. */
let root: string;

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-package-"));
	root = join(directory, "Prüf stand %20 #1", "raftctl");
	mkdirSync(join(root, "dist"), { recursive: true });
	for (const name of ["package.json", "oclif.manifest.json"])
		cpSync(join(built, name), join(root, name));
	for (const name of programs.flatMap((one) => [one, `${one}.compiled`]))
		if (existsSync(join(built, "dist", name)))
			cpSync(join(built, "dist", name), join(root, "dist", name));
});

afterEach(() => rmSync(directory, { recursive: true }));

const compiled = () => join(root, "dist/help.cjs.compiled");

function help(program = join(root, "dist/raftctl.cjs")) {
	return raftctl(["--help"], { directory, program });
}

const damages: Readonly<Record<string, (code: Buffer) => Buffer>> = {
	"was cut short": (code) => code.subarray(0, code.length >>> 1),
	"is empty": () => Buffer.alloc(0),
	"is shorter than what it ends with": (code) => code.subarray(-20),
	"lost its second half to a crash": (code) =>
		Buffer.from(code).fill(0, code.length >>> 1, code.length - 200),
	"has a byte that is another": (code) => {
		const damaged = Buffer.from(code);
		const at = Math.floor(code.length * 0.9);
		damaged[at] = ~(damaged[at] as number) & 0xff;
		return damaged;
	},
	"is of another Node.js": (code) => {
		const text = code.toString("latin1");
		const other = text.replace(
			process.version,
			process.version.replace(/\d/, "9"),
		);
		expect(other).not.toBe(text);
		return Buffer.from(other, "latin1");
	},
};

describe("raftctl, as it is installed", () => {
	it("says the same wherever it lies, and by a link to it", async () => {
		const expected = await help(main);
		expect(expected).toMatchObject({ code: 0, stderr: "" });
		expect(await help()).toEqual(expected);
		const link = join(directory, "raftctl");
		symlinkSync(join(root, "dist/raftctl.cjs"), link);
		expect(await help(link)).toEqual(expected);
	});

	it.each(Object.keys(damages))(
		"does without compiled code that %s",
		async (damage) => {
			const expected = await help();
			const code = readFileSync(compiled());
			writeFileSync(compiled(), damages[damage]?.(code) as Buffer);
			expect(await help()).toEqual(expected);
		},
	);

	it("runs the program that is there, not the one that was compiled", async () => {
		const path = join(root, "dist/help.cjs");
		const { length } = readFileSync(path);
		const other = readFileSync(path, "latin1").replaceAll("USAGE", "USING");
		expect(other).toHaveLength(length);
		writeFileSync(path, other);
		const { code, stdout } = await help();
		expect(code).toBe(0);
		expect(stdout).toContain("USING");
	});
});
