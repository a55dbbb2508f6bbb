import { describe, expect, it } from "vitest";
import { parseInventory } from "../../src/config/load.js";
import { OperatorError } from "../../src/errors.js";

function s3Of(...lines: string[]) {
	const text = ["name: shop", "id: shop-1", "nodes: [n1]", ...lines].join("\n");
	return parseInventory(`${text}\n`, { source: "c.yaml", directory: "/c" }).s3;
}

function problemsOf(...lines: string[]): readonly string[] {
	try {
		s3Of(...lines);
	} catch (error) {
		if (error instanceof OperatorError) return error.problems;
	}
	return [];
}

const target = ["s3:", "  endpoint: https://s3.test:9000", "  bucket: backups"];

describe("S3 in the cluster file", () => {
	it("may be left out, and has defaults for what a bucket needs besides", () => {
		expect(s3Of()).toBeNull();
		expect(s3Of(...target)).toEqual({
			target: {
				...{ endpoint: "https://s3.test:9000", bucket: "backups" },
				...{ prefix: "", region: "us-east-1" },
			},
			...{ access: null, caFile: null },
		});
	});

	it("may say only how nodes get in, with the secret in a file of its own", () => {
		expect(
			s3Of(
				"s3:",
				"  accessKeyId: raft",
				"  secretAccessKeyFile: /etc/secret",
				"  caFile: /etc/ca.pem",
			),
		).toEqual({
			target: null,
			access: { accessKeyId: "raft", secretAccessKeyFile: "/etc/secret" },
			caFile: "/etc/ca.pem",
		});
	});

	it.each([
		["a secret in clear", "secretAccessKey: hush", "secretAccessKeyFile"],
		["a key without its secret", "accessKeyId: raft", "together, or neither"],
		["a relative path", "caFile: ca.pem", "must be an absolute path"],
	])("refuses %s, and says where", (_, line, words) => {
		expect(problemsOf(...target, `  ${line}`)).toEqual([
			expect.stringMatching(/^c\.yaml:[57]:/),
		]);
		expect(problemsOf(...target, `  ${line}`)[0]).toContain(words);
	});

	it.each([
		"s3.test:9000",
		"ftp://s3.test",
		"https://user:password@s3.test",
		"https://s3.test/?key=hush",
	])("refuses %s as an endpoint", (endpoint) => {
		expect(
			problemsOf("s3:", `  endpoint: ${endpoint}`, "  bucket: b")[0],
		).toContain("without user and password");
	});

	it("refuses an endpoint without a bucket", () => {
		expect(problemsOf("s3:", "  endpoint: https://s3.test")[0]).toContain(
			"endpoint and bucket together",
		);
	});
});
