import { beforeAll, describe, expect, it } from "vitest";
import { bringing } from "../../../src/operations/certs/choice.js";
import {
	longAgo,
	TestAuthority,
	yesterday,
} from "../../fakes/test-certificates.js";
import { failureOf, inventoryOf } from "../operating.js";

let old: TestAuthority;
let next: TestAuthority;
let oldLeaf: string;
let renewed: string;
let nextLeaf: string;
beforeAll(async () => {
	old = await TestAuthority.create("c-1", { notBefore: longAgo });
	next = await TestAuthority.create("c-1", { notBefore: yesterday });
	oldLeaf = await old.node("n1", { notBefore: longAgo });
	renewed = await old.node("n1", { notBefore: yesterday });
	nextLeaf = await next.node("n1", { notBefore: new Date() });
});

const both = () => `${old.certificate}${next.certificate}`;

function choose(
	stored: { bundle: string; leaf?: string; hasKey?: boolean },
	lying: { ca?: string; leaf?: string } = {},
) {
	const { bundle, leaf, hasKey = false } = stored;
	const nodes = new Map(leaf === undefined ? [] : [["n1", leaf]]);
	const authority = hasKey ? old.authority : null;
	return bringing(
		{ bundle, nodes, authority },
		{ ca: lying.ca ?? null, leaf: lying.leaf ?? null },
		{ id: "n1", directory: "certs", inventory: inventoryOf({ n1: "voter" }) },
	);
}

describe("what a node that starts gets of this machine's certificates", () => {
	it("is all of them where there are none, or none that can be read", () => {
		const all = { ca: old.certificate, leaf: oldLeaf };
		const stored = { bundle: old.certificate, leaf: oldLeaf };
		expect(choose(stored)).toEqual(all);
		const damaged =
			"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
		expect(choose(stored, { ca: damaged, leaf: damaged })).toEqual(all);
	});

	it("is nothing where the same lies already", () => {
		expect(
			choose(
				{ bundle: old.certificate, leaf: oldLeaf },
				{ ca: old.certificate, leaf: oldLeaf },
			),
		).toEqual({});
	});

	it("is the newer certificate, and never the older one", () => {
		const { certificate: ca } = old;
		expect(
			choose({ bundle: ca, leaf: renewed }, { ca, leaf: oldLeaf }),
		).toEqual({ leaf: renewed });
		expect(
			choose({ bundle: ca, leaf: oldLeaf }, { ca, leaf: renewed }),
		).toEqual({});
	});

	it("is the new authority beside the old one, while both are to be believed", () => {
		expect(
			choose(
				{ bundle: both(), leaf: oldLeaf },
				{ ca: old.certificate, leaf: oldLeaf },
			),
		).toEqual({ ca: both() });
	});

	it("is nothing of what a rotation has replaced, wherever the copies were made", () => {
		const rotated = { ca: next.certificate, leaf: nextLeaf };
		const half = { ca: both(), leaf: nextLeaf };
		expect(choose({ bundle: both(), leaf: oldLeaf }, rotated)).toEqual({});
		expect(choose({ bundle: both(), leaf: oldLeaf }, half)).toEqual({});
		expect(choose({ bundle: old.certificate, leaf: oldLeaf }, half)).toEqual(
			{},
		);
		expect(choose({ bundle: next.certificate, leaf: nextLeaf }, half)).toEqual(
			{},
		);
	});

	it("is refused where each lacks an authority that the other has", async () => {
		const refused = await failureOf(
			(async () =>
				choose(
					{ bundle: old.certificate, leaf: oldLeaf },
					{ ca: next.certificate, leaf: nextLeaf },
				))(),
		);
		expect(refused).toMatchObject({
			...{ kind: "refused", node: "n1" },
			message: "certs/ca.crt lacks an authority that n1 has",
			next: expect.stringContaining("certs status"),
		});
	});

	it("is refused where files are mixed: the new authority, and what the old one issued", async () => {
		const refused = await failureOf(
			(async () => choose({ bundle: next.certificate, leaf: oldLeaf }))(),
		);
		expect(refused.message).toBe(
			"certs/nodes/n1.pem is signed by no authority that n1 believes",
		);
	});

	it("is a new certificate where there is none, but not without the key where one lies that fits", () => {
		const { certificate: bundle } = old;
		const lying = { ca: bundle, leaf: oldLeaf };
		expect(choose({ bundle }, lying)).toEqual({});
		expect(choose({ bundle, hasKey: true }, lying)).toEqual({ leaf: "issue" });
		expect(choose({ bundle }, { ca: bundle })).toEqual({ leaf: "issue" });
	});
});
