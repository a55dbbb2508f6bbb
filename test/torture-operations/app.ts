/**
 * An application with the words of the bundled key-value machine, as far as the load has them: one whose levels, and
 * whose digests, a piece decides. Its state is in the form of level 1 whatever it writes, so that each release reads it.
 */
export function application({
	level = 1,
	liar = "",
}: {
	/** It reads all up to this one, and writes it. */
	readonly level?: number;
	/** A node whose digests are not those of its state, so that the others take its state for another. */
	readonly liar?: string;
}): string {
	return `const encoded = (value) => Buffer.from(JSON.stringify(value));
const parsed = (bytes) => JSON.parse(Buffer.from(bytes).toString());
const lies = ${JSON.stringify(liar)} !== "" && process.argv.some((word) => word.includes("/${liar}/"));
const list = (items, { prefix, limit, after = "" }) => {
	const keys = [...items.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
	const page = keys.slice(0, limit).map((key) => ({ key, value: items.get(key) }));
	return { items: page, more: keys.length > limit };
};
export default {
	name: "torture",
	levels: { reads: [1, ${level}], writes: ${level} },
	create: () => new Map(),
	apply(items, bytes, { index, emit }) {
		const { key, value } = parsed(bytes);
		items.set(key, value);
		emit(encoded({ key, value }));
		return encoded({ version: index });
	},
	query(items, bytes) {
		const query = parsed(bytes);
		if (query.op === "list") return encoded(list(items, query));
		const value = items.get(query.key);
		return encoded(value === undefined ? { found: false } : { found: true, value });
	},
	snapshot: (items) => [encoded([...items].sort(([one], [other]) => (one < other ? -1 : 1)))],
	restore: (chunks) => new Map(parsed(Buffer.concat([...chunks]))),
	digest: (items) => encoded({ size: items.size, lies }),
};
`;
}
