/** One family of metrics as the Prometheus text exposition (version 0.0.4) writes it. */
export function exposition({ name, type, help, samples }: Family): string {
	const lines = samples.map(
		({ labels, value }) => `${name}${labelText(labels)} ${value}\n`,
	);
	return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}

export interface Family {
	readonly name: string;
	readonly type: "gauge" | "counter";
	readonly help: string;
	readonly samples: readonly Sample[];
}

interface Sample {
	readonly labels: Readonly<Record<string, string>>;
	readonly value: number;
}

/** Families without labels: name, help, value. A counter's name ends in _total, as Prometheus has it. */
export function plain(rows: readonly Row[]): Family[] {
	return rows.map(([name, help, value]) => ({
		name,
		type: name.endsWith("_total") ? "counter" : "gauge",
		help,
		samples: [{ labels: {}, value }],
	}));
}

export type Row = readonly [name: string, help: string, value: number];

function labelText(labels: Readonly<Record<string, string>>): string {
	const pairs = Object.entries(labels).map(
		([key, value]) => `${key}="${escaped(value)}"`,
	);
	return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
	return value.replace(/[\\"\n]/g, (character) =>
		character === "\n" ? "\\n" : `\\${character}`,
	);
}
