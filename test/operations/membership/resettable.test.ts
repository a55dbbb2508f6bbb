import {
	chmodSync,
	mkdirSync,
	mkdtempSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { NodeEntry } from "../../../src/config/inventory.js";
import type { Host } from "../../../src/hosts/host.js";
import { localHost } from "../../../src/hosts/local.js";
import type { OperationContext } from "../../../src/operations/context.js";
import { requireResettable } from "../../../src/operations/membership/resettable.js";
import { failureOf, operating } from "../operating.js";

let ground: string;
let data: string;
beforeEach(() => {
	ground = mkdtempSync(join(tmpdir(), "raftctl-reset-"));
	chmodSync(ground, 0o755);
	data = join(ground, "n2");
	mkdirSync(join(data, "wal"), { recursive: true });
	identity({ clusterId: "c1", nodeId: "n2", incarnation: "i" });
});
afterEach(() => rmSync(ground, { recursive: true, force: true }));

function identity(says: object): void {
	writeFileSync(join(data, "identity.json"), JSON.stringify(says));
}

/** Its files are on this machine's disk. */
function check(discard: boolean, how: { host?: Host; path?: string } = {}) {
	const { host = localHost(), path = data } = how;
	const { context } = operating();
	const machines = { ...context.machines, host: async () => host };
	const node = { ...context.inventory.nodes[1], dataDirectory: path };
	return requireResettable(
		{ ...context, machines } as OperationContext,
		node as NodeEntry,
		{ discard },
	);
}

/** As an account to which the directories belong no more than their permissions say. */
function asNobody(): Host {
	const host = localHost();
	const drop = ["setpriv", "--reuid=65534", "--clear-groups"];
	return {
		...host,
		run: (argv, options) =>
			host.run(argv[0] === "sh" ? [...drop, ...argv] : argv, options),
	};
}

describe("a node is reset", () => {
	it("when its data can go, or is not there", async () => {
		await check(false);
		await check(true);
		await check(false, { path: join(ground, "none") });
		rmSync(data, { recursive: true });
		mkdirSync(data);
		await check(true);
	});

	it.runIf(process.getuid?.() === 0)(
		"only where its account may rename the directory, or when the data need not be kept",
		async () => {
			const host = asNobody();
			const refused = await failureOf(check(false, { host }));
			expect(refused).toMatchObject({
				...{ kind: "refused", state: "nothing was touched" },
				message: expect.stringContaining(`may not write ${ground}`),
				next: expect.stringContaining("reset-node n2 --discard"),
			});
			await check(true, { host });
		},
	);

	it("only where its directory is no disk of its own, or when the data need not be kept", async () => {
		const host = localHost();
		const mounted: Host = {
			...host,
			run: (argv, options) =>
				host.run(
					argv.map((word) =>
						word.replace(/mountpoint -q -- "\$path" 2>\/dev\/null/, "true"),
					),
					options,
				),
		};
		const refused = await failureOf(check(false, { host: mounted }));
		expect(refused.message).toContain("is a disk of its own");
		await check(true, { host: mounted });
	});

	it("never where a wrong path has somebody else's files", async () => {
		rmSync(data, { recursive: true });
		mkdirSync(data);
		writeFileSync(join(data, "thesis.tex"), "x");
		for (const discard of [true, false]) {
			const refused = await failureOf(check(discard));
			expect(refused.message).toContain("holds files that are no node's");
			expect(refused.next).toContain(data);
		}
	});

	it("never where the data is another cluster's", async () => {
		identity({ clusterId: "c2", nodeId: "n2", incarnation: "i" });
		const refused = await failureOf(check(false));
		expect(refused.message).toContain("belongs to another cluster (c2)");
	});

	it("without an identity only so that its data is kept", async () => {
		rmSync(join(data, "identity.json"));
		const refused = await failureOf(check(true));
		expect(refused.message).toContain("nobody can say whose data");
		await check(false);
	});
});
