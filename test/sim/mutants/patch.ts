/** One place in the sources that a mutant changes. */
export interface Edit {
	/** From the repository's root. */
	readonly file: string;
	/** Occurs exactly once in the file. */
	readonly text: string;
	readonly replacement: string;
}

/** A bug in the core, as somebody might write it: put into the sources while they are bundled, never into the tree. */
export interface CoreMutant {
	readonly name: string;
	/** The number of the trap that it falls into, or a section of the paper where it has none. */
	readonly pitfall: string;
	/** What is broken, as a sentence without its full stop. */
	readonly breaks: string;
	readonly edits: readonly Edit[];
}

/**
 * The `source` of `file` with the mutant's bug in it. Throws when a text that is to be replaced is not there exactly
 * once: the sources have moved on, and the mutant with them has become another one, or none.
 */
export function mutate(
	{ name, edits }: CoreMutant,
	file: string,
	source: string,
): string {
	let mutated = source;
	for (const edit of edits) {
		if (edit.file !== file) continue;
		const parts = mutated.split(edit.text);
		if (parts.length !== 2)
			throw new Error(
				`mutant ${name}: a text to replace occurs ${parts.length - 1} times in ${file}, not once: ${JSON.stringify(edit.text)}`,
			);
		mutated = parts.join(edit.replacement);
	}
	return mutated;
}
