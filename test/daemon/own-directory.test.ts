import {
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openIdentity } from "../../src/daemon/identity.js";
import { requireOwnDirectory } from "../../src/daemon/own-directory.js";

let directory: string;
beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "raftd-own-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("a data directory", () => {
	it("is not begun in when somebody else's files lie there, and nothing is written to it", () => {
		for (const name of ["a.txt", "snapshots", "lock"])
			writeFileSync(join(directory, name), "somebody's own");
		const check = () => requireOwnDirectory({ directory, nodeId: "n1" });
		expect(check).toThrow(
			expect.objectContaining({
				...{ kind: "config", exitCode: 2 },
				message: `${directory} holds files that are no node's`,
				problems: ["there: a.txt, snapshots"],
			}),
		);
		expect(readFileSync(join(directory, "lock"), "utf8")).toBe(
			"somebody's own",
		);
	});

	it("may be begun in with what a cut short first start or a new file system leaves", () => {
		const check = () => requireOwnDirectory({ directory, nodeId: "n1" });
		check();
		for (const name of ["lock", "identity.json.tmp"])
			writeFileSync(join(directory, name), "");
		mkdirSync(join(directory, "lost+found"));
		mkdirSync(join(directory, "wal"));
		check();
		openIdentity({ directory, clusterId: "c1", nodeId: "n1" });
		writeFileSync(join(directory, "notes.txt"), "");
		check();
	});
});
