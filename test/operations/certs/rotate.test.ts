import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
	fingerprintsIn,
	putBundle,
	readCertificates,
	writeCertificates,
	writeNextAuthority,
} from "../../../src/certificates/store.js";
import { parseInventory } from "../../../src/config/load.js";
import { fullDisk } from "../../../src/errors.js";
import {
	rotateCertificates,
	rotateOperation,
} from "../../../src/operations/certs/rotate.js";
import type { Run } from "../../../src/operations/operation.js";
import type { FakeCluster } from "../../fakes/fake-cluster.js";
import { TestAuthority } from "../../fakes/test-certificates.js";
import { failureOf, operating } from "../operating.js";

let ground = "";
beforeEach(() => {
	ground = mkdtempSync(join(tmpdir(), "raftctl-rotate-"));
});
afterEach(() => rmSync(ground, { recursive: true, force: true }));

describe("a rotation that is taken up", () => {
	it("is not over where the authority's key does not lie", async () => {
		const { run, directory } = await killedInUse();
		// The other operator's machine: copied as docs/tls.md says, without the keys.
		rmSync(join(directory, "ca.key"));
		rmSync(join(directory, "next"), { recursive: true });
		await expect(rotation().steps(run)).rejects.toMatchObject({
			kind: "refused",
			message: expect.stringContaining("ca.key"),
		});
	});

	it("goes on where the key lies", async () => {
		const { run } = await killedInUse();
		const steps = await rotation().steps(run);
		expect(steps.map(({ id }) => id)).toContain("certs/n1/use");
	});
});

describe("a rotation", () => {
	it("is refused before anything is made, and anybody asked, while a node is down or speaks no TLS", async () => {
		const { run, cluster } = await killedInUse();
		const { context } = run;
		await context.clock.sleep(5_000);
		cluster.stop("n3");
		const asked: string[] = [];
		const failure = await failureOf(
			rotateCertificates(
				context,
				{ until: "drop" },
				{
					lockWaitMs: 0,
					confirm: async () => void asked.push("replace it?"),
				},
			),
		);
		expect(failure).toMatchObject({
			...{ kind: "refused", state: "nothing was touched" },
			problems: [
				...["n1 speaks no TLS", "n2 speaks no TLS"],
				expect.stringContaining("n3 "),
			],
		});
		expect(asked).toEqual([]);
	});
});

describe("a rotation that a full disk has ended", () => {
	it("says that nothing is lost, and what to see to before it is taken up", async () => {
		const { run } = await killedInUse();
		const full = fullDisk("/var/lib/x/n1/tls/ca.crt", {
			...{ host: "h1", freeBytes: 0 },
		});
		expect(rotation().failure?.(run, full)).toMatchObject({
			...{ kind: "refused", node: "h1", remedy: full.remedy },
			message: full.message,
			state:
				"what was there before is still there; every node believes every certificate that is in use; nothing is lost",
		});
	});
});

const rotation = () => rotateOperation({ until: "drop" });

/** Both authorities are believed; nothing of the new one is in use. */
async function killedInUse(): Promise<{
	readonly run: Run;
	readonly cluster: FakeCluster;
	readonly directory: string;
}> {
	const text = "name: demo\nid: c-1\ntls: {}\nnodes: [n1, n2, n3]\n";
	const inventory = parseInventory(text, {
		...{ source: "cluster.yaml", directory: ground },
	});
	const directory = inventory.tls?.directory ?? "";
	const [old, next] = [
		await TestAuthority.create("c-1"),
		await TestAuthority.create("c-1"),
	];
	const { authority } = old;
	const leaves = { nodes: new Map(), roles: new Map() };
	await writeCertificates(directory, { authority, ...leaves });
	await writeNextAuthority(directory, next.authority);
	await putBundle(directory, `${old.certificate}${next.certificate}`);
	const stored = await readCertificates(directory);
	const [memo] = fingerprintsIn(stored?.authority?.certificate ?? "");
	const { signal } = new AbortController();
	const world = operating();
	const { id, name, nodes } = world.context.inventory;
	const own = { ...inventory, id, name, nodes };
	const context = { ...world.context, inventory: own };
	const run = { context, lock: { signal }, memo: { old: memo } };
	return { run: run as unknown as Run, cluster: world.cluster, directory };
}
