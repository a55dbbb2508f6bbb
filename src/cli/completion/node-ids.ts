/** The nodes of a cluster file, for completion: none where the file is not there or not right yet. */
export async function nodeIds(
	path: string,
	workingDirectory: string,
): Promise<readonly string[]> {
	if (path === "-") return [];
	try {
		const { loadInventory } = await import("../../config/load.js");
		const { nodes } = await loadInventory(path, workingDirectory);
		return nodes.map(({ id }) => id);
	} catch {
		// Who presses Tab wants words, not the mistakes of a file.
		return [];
	}
}
