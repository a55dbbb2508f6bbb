const required = ["create", "apply", "query", "snapshot", "restore"] as const;
const optional = ["validate", "restorer", "digest"] as const;
const json = ["command", "query", "result", "answer", "event"] as const;

/** Everything that keeps `value` from being a machine, a sentence each; none when it is one. */
export function machineFaults(value: unknown): string[] {
	if (typeof value !== "object" || value === null)
		return ["the default export is not an object"];
	const machine = value as Record<string, unknown>;
	const faults: string[] = [];
	if (typeof machine.name !== "string" || machine.name === "")
		faults.push("name is not a string");
	faults.push(...levelFaults(machine.levels));
	for (const key of required) {
		if (typeof machine[key] !== "function")
			faults.push(`${key} is not a function`);
	}
	for (const key of optional) {
		if (machine[key] !== undefined && typeof machine[key] !== "function")
			faults.push(`${key} is not a function`);
	}
	if (machine.json !== undefined) faults.push(...jsonFaults(machine.json));
	return faults;
}

function jsonFaults(value: unknown): string[] {
	const translations = (value ?? {}) as Record<string, unknown>;
	const given = translations.readCommand === undefined ? [] : ["readCommand"];
	return [...json, ...given]
		.filter((key) => typeof translations[key] !== "function")
		.map((key) => `json.${key} is not a function`);
}

function levelFaults(levels: unknown): string[] {
	const { reads, writes } = (levels ?? {}) as Record<string, unknown>;
	const [from, to] = Array.isArray(reads) ? reads : [];
	// One byte in the entry holds the level, and 0 stands for none in particular.
	const isLevel = (value: unknown): value is number =>
		Number.isInteger(value) &&
		(value as number) >= 1 &&
		(value as number) <= 255;
	if (!isLevel(from) || !isLevel(to) || from > to)
		return ["levels.reads is not a range [from, to] of 1 to 255"];
	if (!isLevel(writes) || writes < from || writes > to)
		return ["levels.writes is not within levels.reads"];
	return [];
}
