import { describe, expect, it } from "vitest";
import { catalogue } from "../../src/operations/catalogue.js";
import { commandTable } from "./commands.js";

/** No quorum could answer a canary there. */
const withoutQuorum = ["snapshot restore", "recover"];

describe("the command of every operation", () => {
	it.each(Object.keys(catalogue))(
		"%s shows its plan, writes a report, and can be watched by a canary where there is a quorum",
		(name) => {
			const id = name.replaceAll(" ", ":");
			const command = commandTable.commands.find((one) => one.id === id);
			const flags = Object.keys(command?.flags ?? {});
			const canary = ["canary", "max-failed", "max-stall", "max-leaderless"];
			expect(flags).toEqual(
				expect.arrayContaining(["dry-run", "detailed-exitcode", "report"]),
			);
			const expected = withoutQuorum.includes(name) ? [] : canary;
			expect(flags.filter((flag) => canary.includes(flag)).sort()).toEqual(
				[...expected].sort(),
			);
		},
	);
});
