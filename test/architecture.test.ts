import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

/**
 * The arrows of the house: which room may import which. A room not named here may be imported by nobody. `wire/gen`
 * and the client and admin words belong to the room wire.
 */
const arrows: Record<string, readonly string[]> = {
	commands: ["cli", "operations", "config", "errors"],
	main: ["cli", "errors"],
	cli: ["operations", "config", "documents", "errors"],
	operations: [
		...["config", "hosts", "balancers", "cluster", "client"],
		...["certificates", "errors"],
	],
	hosts: ["errors", "config"],
	balancers: ["errors", "config", "hosts"],
	certificates: ["wire", "errors"],
	cluster: ["wire", "errors"],
	client: ["wire", "machines", "short-lived-map", "errors"],
	config: ["documents", "errors"],
	documents: ["errors"],
	daemon: [
		...["raft", "storage", "machines", "wire", "documents"],
		...["short-lived-map", "errors"],
	],
	storage: ["raft", "errors"],
	wire: ["raft", "errors"],
	machines: [],
	raft: [],
	errors: [],
	"short-lived-map": [],
};

/** Where a room may only name types of another. */
const typesOnly: Record<string, readonly string[]> = {
	commands: ["config"],
	cli: ["operations"],
	hosts: ["config"],
	balancers: ["config", "hosts"],
	wire: [],
};

/** Same input, same result, on every node: these take nothing from the outside, and what computes and does no more. */
const pure = ["raft", "machines"];
const functions = ["node:zlib"];

const root = resolve(import.meta.dirname, "..");

interface Import {
	readonly file: string;
	readonly line: number;
	readonly target: string;
	readonly types: boolean;
}

function sources(directory: string): string[] {
	return readdirSync(directory).flatMap((name) => {
		const path = join(directory, name);
		if (statSync(path).isDirectory()) return sources(path);
		return name.endsWith(".ts") ? [path] : [];
	});
}

function importsOf(path: string): Import[] {
	const text = readFileSync(path, "utf8");
	const pattern =
		/(?:^|\n)\s*(?:import|export)\s+(type\s+)?([^;'"]*?from\s+)?["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g;
	return [...text.matchAll(pattern)].map((match) => ({
		file: relative(root, path),
		line: text.slice(0, match.index).split("\n").length + 1,
		target: match[3] ?? match[4] ?? "",
		types: match[1] !== undefined || everyNameIsAType(match[2]),
	}));
}

function everyNameIsAType(clause: string | undefined): boolean {
	const names = clause?.match(/\{([\s\S]*)\}/)?.[1];
	if (names === undefined) return false;
	return names
		.split(",")
		.map((name) => name.trim())
		.filter((name) => name !== "")
		.every((name) => name.startsWith("type "));
}

function roomOf(file: string): string {
	const parts = relative(root, file).split("/");
	if (parts[0] === "commands") return "commands";
	const room = parts[1] ?? "";
	return room.replace(/\.[jt]s$/, "");
}

const files = [
	...sources(join(root, "commands")),
	...sources(join(root, "src")),
];

function violations(): string[] {
	const found: string[] = [];
	for (const path of files) {
		const room = roomOf(path);
		for (const { file, line, target, types } of importsOf(path)) {
			if (!target.startsWith(".")) {
				if (pure.includes(room) && !functions.includes(target))
					found.push(
						`${file}:${line} imports ${target}; ${room} imports nothing`,
					);
				continue;
			}
			if (target.endsWith("/package.json")) continue;
			const other = roomOf(resolve(path, "..", target));
			if (other === room) continue;
			if (!arrows[room]?.includes(other))
				found.push(`${file}:${line} ${room} must not import ${other}`);
			else if (typesOnly[room]?.includes(other) && !types) {
				found.push(`${file}:${line} ${room} may import only types of ${other}`);
			}
		}
	}
	return found;
}

describe("the house", () => {
	it("has only arrows that the design allows", () => {
		expect(violations()).toEqual([]);
	});

	it("has no room whose name says nothing", () => {
		const vague =
			/(^|\/)(utils?|helpers?|common|core|shared|types|managers?|services?|misc)(\/|$)/;
		expect(
			files
				.map((file) => relative(root, file))
				.filter((file) => vague.test(file.replace(/\/[^/]*$/, ""))),
		).toEqual([]);
	});

	it("lets nothing below the terminal touch the process, its streams or its environment", () => {
		const below =
			/^src\/(config|documents|operations|hosts|balancers|cluster|client|wire|raft|storage|machines)\//;
		const entryPoints = /\/(main|worker)\.ts$/;
		const found = files
			.map((file) => relative(root, file))
			.filter((file) => below.test(file) && !entryPoints.test(file))
			.filter((file) =>
				/\bprocess\.(stdout|stderr|exit|env|argv|on)\b|\bconsole\./.test(
					readFileSync(join(root, file), "utf8"),
				),
			);
		expect(found).toEqual([]);
	});

	it("keeps clock, randomness and timers out of consensus", () => {
		const found = files
			.map((file) => relative(root, file))
			.filter((file) => file.startsWith("src/raft/"))
			.filter((file) =>
				/\bDate\b|Math\.random|performance\.|setTimeout|setInterval|setImmediate|\bprocess\b|\bBuffer\b|console\./.test(
					readFileSync(join(root, file), "utf8"),
				),
			);
		expect(found).toEqual([]);
	});
});
