import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseInventory } from "../src/config/load.js";
import { starterClusterFile } from "../src/config/starter.js";
import { pages, read, root } from "./docs-pages.js";

function sources(directory: string): string[] {
	return readdirSync(join(root, directory), { withFileTypes: true }).flatMap(
		(entry) => {
			const path = `${directory}/${entry.name}`;
			if (entry.isDirectory()) return sources(path);
			return path.endsWith(".ts") ? [path] : [];
		},
	);
}

describe("the list of pitfalls", () => {
	const list = read("docs/pitfalls.md");
	const listed = [...list.matchAll(/^### (P\d+): \S/gm)].map(
		([, name]) => name,
	);

	it("has one entry for every number that is cited", () => {
		const cited = [
			...["src", "commands", "test"].flatMap(sources),
			...pages,
		].flatMap((path) => read(path).match(/\bP\d{1,2}\b/g) ?? []);
		expect(cited.length).toBeGreaterThan(listed.length);
		expect(
			[...new Set(cited)].filter((name) => !listed.includes(name)),
		).toEqual([]);
		expect(new Set(listed).size).toBe(listed.length);
	});

	it("names files that exist", () => {
		const named = [...list.matchAll(/`((?:src|test)\/[^`]+)`/g)].map(
			([, path]) => path ?? "",
		);
		expect(named.length).toBeGreaterThan(listed.length);
		expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
	});
});

describe("the documents", () => {
	it.each(pages)("%s links to nothing that is not there", (page) => {
		const broken = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
			.map(([, target]) => target ?? "")
			.filter((target) => !/^[a-z]+:/.test(target))
			.filter((target) => !resolves(page, target));
		expect(broken).toEqual([]);
	});

	it("give in the README the ports of the cluster that `raftctl init` writes", () => {
		const { nodes, balancer } = parseInventory(
			starterClusterFile({
				name: "demo",
				id: "demo-1",
				nodes: initDefault("nodes"),
				portBase: initDefault('"port-base"'),
				schema: "",
			}),
			{ source: "cluster.yaml", directory: "/" },
		);
		const clientPorts = [
			...(balancer === null ? [] : [balancer.listen]),
			...nodes.map(({ client }) => client),
		].map((address) => address.split(":").at(-1));
		const named = [...read("README.md").matchAll(/localhost:(\d+)/g)].map(
			([, port]) => port,
		);
		expect(named.length).toBeGreaterThan(0);
		expect(clientPorts).toEqual(expect.arrayContaining(named));
	});
});

/** A file, relative to the page, and where it names one also a heading in it. */
function resolves(page: string, target: string): boolean {
	const [file = "", heading] = target.split("#");
	const path = file === "" ? page : join(dirname(page), file);
	if (!existsSync(join(root, path))) return false;
	return heading === undefined || headings(path).includes(heading);
}

function headings(path: string): string[] {
	return [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
		title
			.toLowerCase()
			.replace(/[^\w\s-]/g, "")
			.replaceAll(" ", "-"),
	);
}

function initDefault(flag: string): number {
	const source = read("commands/init.ts");
	const value = new RegExp(
		`${flag}: Flags\\.integer\\(\\{[^}]*default: (\\d+)`,
	).exec(source.replaceAll("_", ""))?.[1];
	return Number(value);
}
