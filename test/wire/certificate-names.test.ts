import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	type CertificateName,
	certificateName,
	certificateUri,
} from "../../src/wire/certificate-names.js";

const text = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" });
const name: fc.Arbitrary<CertificateName> = fc.oneof(
	fc.record({
		kind: fc.constant("node" as const),
		clusterId: text,
		node: text,
	}),
	fc.record({
		kind: fc.constant("role" as const),
		clusterId: text,
		role: fc.constantFrom("observer" as const, "operator", "admin"),
	}),
);

describe("the name in a certificate", () => {
	it("is read as it was written, whatever the ids are", () => {
		fc.assert(
			fc.property(name, (written) => {
				const names = `DNS:localhost, URI:${certificateUri(written)}`;
				expect(certificateName(names)).toEqual(written);
			}),
		);
	});

	it.each([
		["nothing", undefined],
		["none of ours", "DNS:n1, URI:https://c-1/node/n1"],
		["a role that there is not", "URI:raftd://c-1/role/root"],
		["another kind", "URI:raftd://c-1/user/n1"],
		["more than a name", "URI:raftd://c-1/node/n1/n2"],
		["no cluster", "URI:raftd:///node/n1"],
		["broken escapes", "URI:raftd://c-1/node/%zz"],
		["two names", "URI:raftd://c-1/node/n1, URI:raftd://c-1/role/admin"],
		["a name within a quoted one", 'DNS:"a, URI:raftd://c-1/node/n1, b"'],
	])("is nobody's when there is %s", (_what, names) => {
		expect(certificateName(names)).toBeNull();
	});
});
