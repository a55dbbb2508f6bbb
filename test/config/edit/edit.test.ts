import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editText } from "../../../src/config/edit/edit.js";
import {
	type ClusterFileEdit,
	editedInventory,
} from "../../../src/config/edits.js";
import { parseInventory } from "../../../src/config/load.js";
import { nodeEntryFor } from "../../../src/config/new-node.js";
import { type Layout, layouts, textOf } from "./layouts.js";

const options = { source: "cluster.yaml", directory: "/clusters" };

function edited(text: string, ...edits: ClusterFileEdit[]): string | null {
	const result = editText(text, edits, options);
	return result.text;
}

function newNode(text: string, id: string, role: "voter" | "learner") {
	return nodeEntryFor(parseInventory(text, options), id, { role }).entry;
}

function add(text: string, id: string, role: "voter" | "learner" = "learner") {
	return edited(text, { type: "add-node", node: newNode(text, id, role) });
}

const head = "name: demo\nid: demo-1\n";

describe("a node that is added", () => {
	it.each([
		[
			"to ids in brackets, as a mapping where an id does not say it",
			"nodes: [n1, n2]  # two\n",
			"nodes: [n1, n2, { id: n4, role: learner }]  # two\n",
		],
		[
			"to ids in quotes",
			'nodes: ["n1", "n2",]\n',
			'nodes: ["n1", "n2", { "id": "n4", "role": "learner" },]\n',
		],
		[
			"to a list with an entry a line, before the comment that is not its own",
			"nodes: [\n  n1, # one\n  n2 # two\n]\n",
			"nodes: [\n  n1, # one\n  n2, # two\n  { id: n4, role: learner }\n]\n",
		],
		[
			"to ids behind dashes, at the end of a file without a last line end",
			"nodes:\n- n1\n- n2",
			"nodes:\n- n1\n- n2\n- { id: n4, role: learner }",
		],
		[
			"to mappings, with the keys that the neighbour says",
			"nodes:\n  -  id: n1\n     host: local\n     data: /var/n1\n     # mind the dog\n\nportBase: 8000\n",
			"nodes:\n  -  id: n1\n     host: local\n     data: /var/n1\n     # mind the dog\n  -  id: n4\n     host: local\n     role: learner\n     data: /clusters/.raftctl/demo/n4/data\n\nportBase: 8000\n",
		],
		[
			"with a blank line before it where there are others, and with the line ends of the file",
			"nodes:\r\n  - id: n1\r\n\r\n  - id: n2\r\n    data: ./n2\r\n",
			"nodes:\r\n  - id: n1\r\n\r\n  - id: n2\r\n    data: ./n2\r\n\r\n  - id: n4\r\n    role: learner\r\n    data: .raftctl/demo/n4/data\r\n",
		],
	])("%s", (_, before, after) => {
		expect(add(head + before, "n4")).toBe(head + after);
	});

	it("is a bare id where that says it all, whatever the last one has to say", () => {
		const text = `${head}nodes: [n1, n2, {id: n3, role: learner}]\n`;
		expect(add(text, "n4", "voter")).toBe(text.replace("]", ", n4]"));
	});

	it("is a bare id among such", () => {
		expect(add(`${head}nodes: [n1, n2]\n`, "n4", "voter")).toBe(
			`${head}nodes: [n1, n2, n4]\n`,
		);
	});

	it("goes into a file of JSON", () => {
		const text = '{"name":"demo","id":"demo-1","nodes":[{"id":"n1"}]}';
		expect(add(text, "n4")).toBe(
			'{"name":"demo","id":"demo-1","nodes":[{"id":"n1"}, {"id": "n4", "role": "learner"}]}',
		);
	});

	it("keeps the byte order mark of an editor that writes one", () => {
		expect(add(`\ufeff${head}nodes: [n1]\n`, "n2", "voter")).toBe(
			`\ufeff${head}nodes: [n1, n2]\n`,
		);
	});

	it("goes into a list that has an anchor", () => {
		const text = `${head}nodes: &all [n1]\n`;
		expect(add(text, "n2", "voter")).toBe(`${head}nodes: &all [n1, n2]\n`);
	});
});

describe("a node that goes", () => {
	it.each([
		["from brackets", "nodes: [n1, n2, n3]\n", "nodes: [n1, n3]\n"],
		[
			"with what is said behind it, not with what stands above",
			"nodes:\n  # first\n  - n1\n  # second\n  - n2 # in the cellar\n  # third\n  - n3\n",
			"nodes:\n  # first\n  - n1\n  # second\n  # third\n  - n3\n",
		],
		[
			"with all its lines and the comments among them",
			"nodes:\n  - n1\n  - id: n2\n    # here\n    role: voter\n    # and here\n  - n3\n",
			"nodes:\n  - n1\n  - n3\n",
		],
	])("%s", (_, before, after) => {
		const edit = { type: "remove-node", id: "n2" } as const;
		expect(edited(head + before, edit)).toBe(head + after);
	});

	it("takes the comma before it along when it is the last", () => {
		const text = `${head}nodes: [\n  n1, # one\n  n2 # two\n]\n`;
		expect(edited(text, { type: "remove-node", id: "n2" })).toBe(
			`${head}nodes: [\n  n1 # one\n]\n`,
		);
	});
});

describe("a role", () => {
	it.each([
		["of a bare id", "- n2 # two", "- { id: n2, role: learner } # two"],
		[
			"of a mapping without one",
			"- id: n2 # two\n    peer: a:1",
			"- id: n2 # two\n    role: learner\n    peer: a:1",
		],
		[
			"that is there",
			"- { id: n2, role: voter }",
			"- { id: n2, role: learner }",
		],
		["in quotes", "- {id: n2, role: 'voter'}", "- {id: n2, role: learner}"],
	])("%s", (_, before, after) => {
		const text = (node: string) => `${head}nodes:\n  - n1\n  ${node}\n  - n3\n`;
		const edit = { type: "set-role", id: "n2", role: "learner" } as const;
		expect(edited(text(before), edit)).toBe(text(after));
	});

	it("of a node that is not there cannot be set", () => {
		expect(
			editText(
				`${head}nodes: [n1]\n`,
				[{ type: "set-role", id: "n2", role: "voter" }],
				options,
			),
		).toEqual({ text: null, reason: "it has no node n2" });
	});
});

describe("a node in another's place", () => {
	it("keeps what was said in it", () => {
		const text = `${head}nodes:\n  - n1\n  - id: n2\n    # by the window\n    data: ./n2\n    agent: 127.0.0.1:9\n`;
		const node = {
			...newNode(text, "n4", "voter"),
			dataDirectory: "/clusters/n4",
		};
		expect(edited(text, { type: "replace-node", id: "n2", node })).toBe(
			`${head}nodes:\n  - n1\n  - id: n4\n    # by the window\n    data: n4\n`,
		);
	});

	it("leaves one of the two where the file has both", () => {
		const text = `${head}nodes: [n1, n2, {id: n4, role: learner}]\n`;
		const node = newNode(text, "n4", "learner");
		expect(
			edited(text, {
				...{ type: "replace-node", id: "n2" },
				node: { ...node, role: "voter" },
			}),
		).toBe(`${head}nodes: [n1, {id: n4, role: voter}]\n`);
	});
});

describe("the cluster's id", () => {
	it("is written as the old one was", () => {
		const text = `name: demo\nid:  "demo-1" # for ever\nnodes: [n1]\n`;
		expect(edited(text, { type: "set-cluster-id", clusterId: "demo-2" })).toBe(
			text.replace("demo-1", "demo-2"),
		);
	});
});

describe("an edit that only a person can make", () => {
	it.each([
		["of nodes under an alias", "portBase: 7100\nnodes: *a\n"],
		["of the only node", "nodes: [n2]\n"],
		["of the only voter", "nodes: [n2, {id: n1, role: learner}]\n"],
		[
			"of a node whose words another repeats",
			"nodes:\n  - {id: n2, host: &h local}\n  - {id: n1, host: *h}\n",
		],
		["of a file with mistakes", "nodes: [n1, n2]\nnode: 3\n"],
		["of a text that is no YAML", "nodes: [n1, n2\n"],
	])("%s is not made, and it says why", (_, text) => {
		const result = editText(
			head + text,
			[{ type: "remove-node", id: "n2" }],
			options,
		);
		expect(result).toMatchObject({ text: null });
		expect((result as { reason: string }).reason).not.toBe("");
	});
});

/** What stands before and behind the node and, in brackets, the commas beside it. */
function around({ pieces, isFlow }: Layout, node: string): [string, string] {
	const at = pieces.findIndex((piece) => piece.node === node);
	const beside = isFlow ? 1 : 0;
	const before = textOf({ pieces: pieces.slice(0, at - beside) });
	const after = textOf({ pieces: pieces.slice(at + 1 + beside) });
	return isFlow ? [before, after] : [before, after.replace(/^\r?\n/, "")];
}

describe("any cluster file, however it is written", () => {
	it("gets a node and keeps every other byte; the second time, all of them", () => {
		fc.assert(
			fc.property(
				layouts,
				fc.constantFrom("voter" as const, "learner" as const),
				(layout, role) => {
					const text = textOf(layout);
					const node = newNode(text, "n10", role);
					const edit = { type: "add-node", node } as const;
					const after = edited(text, edit);
					expectSays(text, after, edit);
					// What was inserted, and where the list goes on in brackets a comma, is all that is new.
					expect(isWithout(after ?? "", text)).toBe(true);
					expect(edited(after ?? "", edit)).toBe(after);
				},
			),
		);
	});

	it("loses a node and keeps every byte that is not its own", () => {
		fc.assert(
			fc.property(layouts, fc.nat(), (layout, pick) => {
				const text = textOf(layout);
				// The first is the one that surely votes.
				const id = layout.ids[1 + (pick % (layout.ids.length - 1))] ?? "";
				const edit = { type: "remove-node", id } as const;
				const after = edited(text, edit);
				expectSays(text, after, edit);
				const [before, behind] = around(layout, id);
				expect(after?.startsWith(before)).toBe(true);
				expect(after?.endsWith(behind)).toBe(true);
				expect(isWithout(text, after ?? "")).toBe(true);
			}),
		);
	});

	it("gets a role, another node in one's place, or another id, and keeps every other piece", () => {
		fc.assert(
			fc.property(layouts, fc.nat(), (layout, pick) => {
				const text = textOf(layout);
				const id = layout.ids[1 + (pick % (layout.ids.length - 1))] ?? "";
				const known = parseInventory(text, options).nodes.find(
					(node) => node.id === id,
				);
				const other = known?.role === "voter" ? "learner" : "voter";
				const edits: ClusterFileEdit[] = [
					{ type: "set-role", id, role: other },
					{ type: "replace-node", id, node: newNode(text, "n10", "voter") },
				];
				const at = layout.pieces.findIndex(({ node }) => node === id);
				for (const edit of edits) {
					const after = edited(text, edit);
					expectSays(text, after, edit);
					const before = textOf({ pieces: layout.pieces.slice(0, at) });
					const behind = textOf({ pieces: layout.pieces.slice(at + 1) });
					expect(after?.startsWith(before)).toBe(true);
					expect(after?.endsWith(behind)).toBe(true);
				}
				const renamed = edited(text, {
					...{ type: "set-cluster-id", clusterId: "demo-2" },
				});
				expect(renamed).toBe(text.replace("demo-1", "demo-2"));
			}),
		);
	});

	it("is edited right or not at all, whatever stands in it", () => {
		const odd = fc.constantFrom(
			...["&a ", "*a", "? ", ": ", "- ", "[", "]", "{", "}", ",", "|\n", "'"],
			...['"', "#", "---\n", "...\n", "\t", "\r", "\n\n", "!!str ", "<<: *a"],
		);
		let made = 0;
		fc.assert(
			fc.property(layouts, fc.nat(), odd, (layout, pick, snippet) => {
				const text = textOf(layout);
				const at = pick % text.length;
				const wild = text.slice(0, at) + snippet + text.slice(at);
				const edit = { type: "remove-node", id: layout.ids[1] ?? "" } as const;
				const result = editText(wild, [edit], options);
				if (result.text === null) expect(result.reason).not.toBe("");
				else {
					expectSays(wild, result.text, edit);
					made += 1;
				}
			}),
		);
		expect(made).toBeGreaterThan(0);
	});

	it("is the same again when a node came and went", () => {
		fc.assert(
			fc.property(layouts, (layout) => {
				const text = textOf(layout);
				const node = newNode(text, "n10", "learner");
				const after = edited(...[text, { type: "add-node", node } as const], {
					type: "remove-node",
					id: "n10",
				});
				const words = (one: string | null) => one?.replace(/\s+$/, "");
				if (!layout.isFlow && !/\n\r?\n/.test(text))
					expect(words(after)).toBe(words(text));
				expect(parseInventory(after ?? "", options).nodes).toEqual(
					parseInventory(text, options).nodes,
				);
			}),
		);
	});
});

function expectSays(
	text: string,
	after: string | null,
	edit: ClusterFileEdit,
): void {
	expect(after, text).not.toBeNull();
	const { nodes, id } = parseInventory(after ?? "", options);
	const wanted = editedInventory(parseInventory(text, options), [edit]);
	expect({ nodes, id }).toEqual({ nodes: wanted.nodes, id: wanted.id });
}

/** Whether `text` is `longer` without one stretch, and without one comma before it. */
function isWithout(longer: string, text: string): boolean {
	const isStretch = (one: string) => {
		let head = 0;
		while (head < text.length && one[head] === text[head]) head += 1;
		let tail = 0;
		while (
			tail < text.length - head &&
			one[one.length - 1 - tail] === text[text.length - 1 - tail]
		)
			tail += 1;
		return head + tail === text.length;
	};
	if (isStretch(longer)) return true;
	return [...longer.matchAll(/,/g)].some(({ index }) =>
		isStretch(longer.slice(0, index) + longer.slice(index + 1)),
	);
}
