import type {
	ConfigurationChange,
	MemberChange,
} from "../../src/raft/types.js";

/** `add n4, promote n4; waive catch-up; seen 5` */
export function parseChange(text: string): ConfigurationChange {
	const [list = "", ...clauses] = text.split(";").map((part) => part.trim());
	const waived: ("catch-up" | "quorum")[] = [];
	let expectedIndex: number | null = null;
	for (const clause of clauses) {
		const [word, value] = clause.split(" ");
		if (word === "seen") expectedIndex = Number(value);
		else if (word === "waive" && (value === "catch-up" || value === "quorum"))
			waived.push(value);
		else throw new Error(`not understood: ${clause}`);
	}
	const changes = list.split(",").map((one) => parseOne(one.trim()));
	return { changes, expectedIndex, waived };
}

function parseOne(text: string): MemberChange {
	const [type, id = ""] = text.split(" ");
	switch (type) {
		case "add":
		case "update": {
			const address = { peer: `${id}:1`, client: `${id}:2`, admin: `${id}:3` };
			return { type, id, address };
		}
		case "promote":
		case "demote":
		case "remove":
			return { type, id };
		default:
			throw new Error(`no change of membership: ${text}`);
	}
}
