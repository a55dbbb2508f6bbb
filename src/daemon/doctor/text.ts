/** Rows of cells, each column as wide as its widest cell; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[]): string[] {
	const widths: number[] = [];
	for (const row of rows)
		for (const [at, cell] of row.entries())
			widths[at] = Math.max(widths[at] ?? 0, cell.length);
	return rows.map((row) =>
		row
			.map((cell, at) => cell.padEnd(widths[at] ?? 0))
			.join("  ")
			.trimEnd(),
	);
}

const units = ["B", "KiB", "MiB", "GiB", "TiB"];

export function shownBytes(bytes: number): string {
	let value = bytes;
	let unit = 0;
	while (value >= 1024 && unit < units.length - 1) {
		value /= 1024;
		unit += 1;
	}
	const digits = unit === 0 || value >= 10 ? 0 : 1;
	return `${value.toFixed(digits)} ${units[unit]}`;
}

/** What a terminal would obey, or show in another order, and JSON leaves as it is. */
const unsafe = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** JSON on one line that does nothing to a terminal. */
export function safeJson(value: unknown): string {
	return (JSON.stringify(value) ?? "null").replace(
		unsafe,
		(character) =>
			`\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
	);
}
