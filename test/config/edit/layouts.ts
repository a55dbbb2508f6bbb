import fc from "fast-check";

/** A cluster file in pieces; each piece belongs to a node, or to none. */
export interface Layout {
	readonly pieces: readonly Piece[];
	/** In the order of the file. */
	readonly ids: readonly string[];
	readonly isFlow: boolean;
}

interface Piece {
	readonly text: string;
	/** Null for what belongs to no node; in lists in brackets a comma belongs to none. */
	readonly node: string | null;
}

export function textOf({ pieces }: Pick<Layout, "pieces">): string {
	return pieces.map(({ text }) => text).join("");
}

const ids = fc.uniqueArray(
	fc.integer({ min: 1, max: 9 }).map((number) => `n${number}`),
	{ minLength: 2, maxLength: 5 },
);

const comment = fc.constantFrom("", "", "  # a word", " # n1, n2: [x] {y}");
const quote = fc.constantFrom("", "", "'", '"');

/** The keys of a node besides its id. Ports are far from those that are chosen by the number. */
const extras = (id: string) => {
	const port = 20_000 + 10 * Number(id.slice(1));
	return fc.subarray([
		["host", "local"],
		["role", "learner"],
		["peer", `127.0.0.1:${port}`],
		["client", `localhost:${port + 1}`],
		["admin", `127.0.0.1:${port + 2}`],
		["agent", `127.0.0.1:${port + 3}`],
		["data", `./var/${id}`],
	] as const);
};

/** The first of them votes, for without a voter a file is none. */
const pairsOf = (id: string, first: string) =>
	extras(id).map((pairs) =>
		pairs.filter(([key]) => id !== first || key !== "role"),
	);

const inlineNode = (id: string, first: string) =>
	fc
		.record({
			pairs: pairsOf(id, first),
			quote,
			bare: fc.boolean(),
			pad: fc.constantFrom("", " "),
		})
		.map(({ pairs, quote: q, bare, pad }) =>
			bare
				? `${q}${id}${q}`
				: `{${pad}${[["id", id], ...pairs]
						.map(([key, value]) => `${q}${key}${q}: ${q}${value}${q}`)
						.join(", ")}${pad}}`,
		);

const newlines = fc.constantFrom("\n", "\n", "\r\n");
const head = (newline: string) =>
	fc
		.constantFrom(
			["name: demo", "id: demo-1", ""],
			["# The cluster.", "id:   'demo-1'   # for ever", "", "name:  demo", ""],
			[
				"---",
				"timing: {electionTimeout:   2s}",
				"id: demo-1",
				"name: demo",
				"",
			],
		)
		.map((lines) => lines.join(newline));

const tail = (newline: string) =>
	fc.constantFrom(
		"",
		newline,
		["", "# Behind.", "roll:", "      settle:   2s", ""].join(newline),
		["", "balancer: embedded", "", "", "# the end"].join(newline),
	);

/** Nodes behind dashes, however they are indented. */
const blockLayout: fc.Arbitrary<Layout> = fc
	.record({
		...{ ids, newline: newlines, indent: fc.constantFrom("", "  ", "     ") },
		gap: fc.constantFrom(" ", " ", "   "),
		spaced: fc.boolean(),
	})
	.chain(({ ids: nodes, newline, indent, gap, spaced }) =>
		fc
			.tuple(
				head(newline),
				tail(newline),
				comment,
				fc.tuple(
					...nodes.map((id) =>
						blockNode(id, nodes[0] ?? id, { newline, indent, gap }),
					),
				),
			)
			.map(([before, after, word, entries]) => {
				const pieces: Piece[] = [
					{ text: `${before}nodes:${word}`, node: null },
				];
				for (const [position, { above, text }] of entries.entries()) {
					if (spaced && position > 0)
						pieces.push({ text: newline, node: null });
					if (above !== "")
						pieces.push({ text: `${newline}${indent}${above}`, node: null });
					pieces.push({ text: newline, node: null });
					pieces.push({ text, node: nodes[position] ?? null });
				}
				pieces.push({ text: after, node: null });
				return { pieces, ids: nodes, isFlow: false };
			}),
	);

const blockNode = (
	id: string,
	first: string,
	{
		newline,
		indent,
		gap,
	}: {
		readonly newline: string;
		readonly indent: string;
		readonly gap: string;
	},
) =>
	fc
		.record({
			above: fc.constantFrom("", "", "# above"),
			inline: fc.option(inlineNode(id, first)),
			pairs: pairsOf(id, first),
			word: comment,
			inner: fc.boolean(),
		})
		.map(({ above, inline, pairs, word, inner }) => {
			const dash = `${indent}-${gap}`;
			if (inline !== null) return { above, text: `${dash}${inline}${word}` };
			const deeper = `${newline}${indent} ${gap}`;
			const lines = [["id", id], ...pairs].map(
				([key, value]) => `${key}:  ${value}${word}`,
			);
			const body = lines.join(inner ? `${deeper}# inside${deeper}` : deeper);
			return { above, text: dash + body };
		});

/** Nodes in brackets, on one line or one a line. */
const flowLayout: fc.Arbitrary<Layout> = fc
	.record({
		...{ ids, newline: newlines, lines: fc.boolean(), comma: fc.boolean() },
		word: comment,
	})
	.chain(({ ids: nodes, newline, lines, comma, word }) =>
		fc
			.tuple(
				head(newline),
				tail(newline),
				fc.tuple(...nodes.map((id) => inlineNode(id, nodes[0] ?? id))),
			)
			.map(([before, after, entries]) => {
				const inner = lines ? `${newline}    ` : "";
				const between = lines ? `,${word}${newline}    ` : ", ";
				const end = `${comma ? "," : ""}${lines ? `${word}${newline}` : ""}]`;
				const pieces: Piece[] = [
					{ text: `${before}nodes: [${inner}`, node: null },
				];
				for (const [position, text] of entries.entries()) {
					if (position > 0) pieces.push({ text: between, node: null });
					pieces.push({ text, node: nodes[position] ?? null });
				}
				pieces.push({
					text: end + (after === "" ? newline : after),
					node: null,
				});
				return { pieces, ids: nodes, isFlow: true };
			}),
	);

export const layouts: fc.Arbitrary<Layout> = fc.oneof(blockLayout, flowLayout);
