import {
	mkdirSync,
	mkdtempSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeDataDirectory, openIdentity } from "../../src/daemon/identity.js";
import { OperatorError } from "../../src/errors.js";

let root: string;
let directory: string;
beforeEach(() => {
	root = mkdtempSync(join(tmpdir(), "raftd-identity-"));
	directory = join(root, "deep", "n1");
	makeDataDirectory(directory);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const open = (changes: { clusterId?: string; nodeId?: string } = {}) =>
	openIdentity({ directory, clusterId: "c1", nodeId: "n1", ...changes });

function refusal(call: () => unknown): OperatorError {
	try {
		call();
	} catch (error) {
		expect(error).toBeInstanceOf(OperatorError);
		expect((error as OperatorError).kind).toBe("refused");
		return error as OperatorError;
	}
	throw new Error("nothing was refused");
}

function startLog(): void {
	mkdirSync(join(directory, "wal"));
	writeFileSync(join(directory, "wal", "0001.wal"), "x");
}

describe("the identity of a node", () => {
	it("is made with the directory and is the same ever after", () => {
		const made = open().identity;
		expect(made.incarnation).toMatch(/^[0-9a-f-]{36}$/);
		expect(open().identity).toEqual(made);
	});

	it("differs for every new directory", () => {
		const first = open().identity.incarnation;
		rmSync(directory, { recursive: true });
		makeDataDirectory(directory);
		expect(open().identity.incarnation).not.toBe(first);
	});

	it("is readable by its owner only", () => {
		open();
		expect(statSync(directory).mode & 0o777).toBe(0o700);
		expect(statSync(join(directory, "identity.json")).mode & 0o777).toBe(0o600);
	});

	it("remembers the incarnations of peers over a restart", () => {
		open().learn("n2", "abc");
		expect(open().known("n2")).toBe("abc");
		open().learn("n2", "def");
		expect(open().known("n2")).toBe("def");
		expect(open().known("n3")).toBeNull();
		expect(open().known("constructor")).toBeNull();
	});

	it("is not confused by a temporary file that a crash left", () => {
		const made = open().identity;
		writeFileSync(join(directory, "identity.json.tmp"), '{"format":');
		expect(open().identity).toEqual(made);
		open().learn("n2", "abc");
		expect(open().known("n2")).toBe("abc");
	});
});

describe("a data directory is refused", () => {
	it("when it belongs to another cluster", () => {
		open();
		const error = refusal(() => open({ clusterId: "c2" }));
		expect(error.message).toContain("belongs to cluster c1, not to c2");
		expect(error.next).toContain("set data");
	});

	it("when it belongs to another node", () => {
		open();
		expect(refusal(() => open({ nodeId: "n2" })).message).toContain(
			"belongs to node n1, not to n2",
		);
	});

	it("when it has a log whose owner nobody knows", () => {
		startLog();
		expect(refusal(open).message).toContain("has a log but no identity.json");
	});

	it("when its log is gone, as the node has forgotten its votes", () => {
		open().markLogStarted();
		expect(refusal(open).message).toContain("the log of node n1 is gone");
	});

	it("when its identity is damaged", () => {
		const path = join(directory, "identity.json");
		for (const damage of ["", "{", "[]", '{"format":2}']) {
			writeFileSync(path, damage);
			expect(refusal(open).message).toContain(`${path} is damaged`);
			expect(readFileSync(path, "utf8")).toBe(damage);
		}
	});

	it("but not when its first start was cut short before the log", () => {
		const made = open().identity;
		expect(open().identity).toEqual(made);
		startLog();
		open().markLogStarted();
		expect(open().identity).toEqual(made);
	});
});
