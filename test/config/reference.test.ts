import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { clusterFileJsonSchema } from "../../src/config/json-schema.js";
import { parseInventory } from "../../src/config/load.js";
import { starterClusterFile } from "../../src/config/starter.js";

const root = join(import.meta.dirname, "..", "..");

interface Schema {
	readonly description?: string;
	readonly default?: unknown;
	readonly properties?: Readonly<Record<string, Schema>>;
	readonly items?: Schema;
	/** Of a mapping whose keys are names. */
	readonly additionalProperties?: Schema | boolean;
	readonly anyOf?: readonly Schema[];
	/** Of a mapping that one of its keys makes this or that. */
	readonly oneOf?: readonly Schema[];
}

/** Every key of the cluster file with its part of the schema: "nodes[].peer", "timing.diskStall". */
function keysOf(schema: Schema, prefix = ""): [string, Schema][] {
	const own = Object.entries(schema.properties ?? {}).flatMap(
		([key, inner]): [string, Schema][] => [
			[`${prefix}${key}`, inner],
			...keysOf(inner, `${prefix}${key}.`),
		],
	);
	const items = schema.items
		? keysOf(schema.items, `${prefix.replace(/\.$/, "")}[].`)
		: [];
	const { additionalProperties: named } = schema;
	const values =
		typeof named === "object" ? keysOf(named, `${prefix}<name>.`) : [];
	return [
		...own,
		...items,
		...values,
		...[...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].flatMap((inner) =>
			keysOf(inner, prefix),
		),
	];
}

const keys = keysOf(clusterFileJsonSchema() as Schema);

describe("the cluster file's reference", () => {
	it("has a JSON Schema for editors that is what raftctl checks by (`vitest -u` rewrites it)", async () => {
		await expect(
			`${JSON.stringify(clusterFileJsonSchema(), null, "\t")}\n`,
		).toMatchFileSnapshot(join(root, "templates/cluster.schema.json"));
	});

	it.each(keys)(
		"describes %s, in the schema and in the docs, with its default",
		async (key, schema) => {
			expect(schema.description).toMatch(/\.$/);
			const docs = await readFile(join(root, "docs/cluster-file.md"), "utf8");
			const row = docs
				.split("\n")
				.find((line) => line.startsWith(`| \`${key}\``));
			expect(row, `a row for ${key}`).toBeDefined();
			if (
				typeof schema.default === "string" ||
				typeof schema.default === "number"
			)
				expect(row).toContain(`\`${schema.default}\``);
		},
	);

	it("has an example that uses every key and is valid", async () => {
		const text = await readFile(join(root, "templates/cluster.yaml"), "utf8");
		const inventory = parseInventory(text, {
			source: "cluster.yaml",
			directory: root,
		});
		expect(inventory.warnings).toEqual([]);
		for (const [key] of keys)
			expect(text).toMatch(
				new RegExp(`^[# -]*${key.split(/[.\]]/).at(-1)}:`, "m"),
			);
	});
});

describe("the file that init writes", () => {
	it.each([1, 2, 3, 9])("is valid with %i nodes", (nodes) => {
		const text = starterClusterFile({
			name: "demo",
			id: "demo-1",
			nodes,
			portBase: 8100,
			schema: ".raftctl/cluster.schema.json",
		});
		const inventory = parseInventory(text, {
			source: "cluster.yaml",
			directory: "/clusters",
		});
		expect(inventory.nodes.map(({ id }) => id).at(-1)).toBe(`n${nodes}`);
		expect(inventory.nodes[0]?.peer).toBe("127.0.0.1:8110");
		expect(inventory.balancer?.listen).toBe("127.0.0.1:8100");
	});
});
