import Table from "cli-table3";

/** Columns without borders, as wide as their widest cell; the last one is not padded. */
export function textTable(
	head: readonly string[],
	rows: readonly (readonly string[])[],
): string {
	const table = new Table({
		chars: borderless,
		style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
	});
	table.push([...head], ...rows.map((row) => [...row]));
	return table
		.toString()
		.split("\n")
		.map((line) => line.trimEnd())
		.join("\n");
}

const borderless = {
	top: "",
	"top-mid": "",
	"top-left": "",
	"top-right": "",
	bottom: "",
	"bottom-mid": "",
	"bottom-left": "",
	"bottom-right": "",
	left: "",
	"left-mid": "",
	mid: "",
	"mid-mid": "",
	right: "",
	"right-mid": "",
	middle: "",
};
