interface StarterOptions {
	readonly name: string;
	readonly id: string;
	/** How many voters: n1, n2, … */
	readonly nodes: number;
	readonly portBase: number;
	/** Where the JSON Schema lies, relative to the file, for editors. */
	readonly schema: string;
}

/** A cluster file to begin with: complete, short, and saying where the rest is explained. */
export function starterClusterFile({
	name,
	id,
	nodes,
	portBase,
	schema,
}: StarterOptions): string {
	const ids = Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
	return `# yaml-language-server: $schema=${schema}
# The cluster file of raftctl. Every key: docs/cluster-file.md, or \`raftctl validate --schema\`.
name: ${name}
# Names this cluster for ever: nodes refuse to speak to another one. Keep it.
id: ${id}

nodes: [${ids.join(", ")}]
# Applications connect to the balancer, at the port base; the nodes listen above it: n1 from ${portBase + 10}, n2 from ${portBase + 20}.
portBase: ${portBase}
balancer: embedded
`;
}
