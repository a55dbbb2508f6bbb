import {
	cpSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openDataDirectory } from "../../../src/daemon/doctor/data-directory.js";
import { examine } from "../../../src/daemon/doctor/examine.js";
import { exitCodeOf } from "../../../src/daemon/doctor/report.js";
import { defaultLimits } from "../../../src/daemon/engine/limits.js";
import { recover } from "../../../src/daemon/engine/recover.js";
import {
	makeDataDirectory,
	openIdentity,
} from "../../../src/daemon/identity.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine } from "../../../src/machines/machine.js";
import { openLogInThread } from "../../../src/storage/in-thread.js";
import { seededRandom } from "../../fakes/fake-disk.js";
import { configuration, lifeOf, makeDirectory } from "./ground.js";

/** Whether raftd would come up on it. What it repairs, it repairs in place. */
async function starts(directory: string): Promise<boolean> {
	const place = { clusterId: "c-test", nodeId: "n1" };
	try {
		const { identity } = openIdentity({ ...place, directory });
		const { log, store } = await recover({
			identity: {
				...identity,
				levels: { readsFrom: 1, readsTo: 1, writes: 1 },
			},
			...{ joins: false, initial: configuration, dataDirectory: directory },
			...{ limits: { ...defaultLimits, segmentBytes: 32 * 1024 } },
			machine: kv as Machine,
			diagnose() {},
			openLog: openLogInThread,
		});
		await store.close();
		await log.close();
		return true;
	} catch {
		return false;
	}
}

/** Harms one file in one way. */
function harm(directory: string, random: () => number): string {
	const below = (limit: number) => Math.floor(random() * limit);
	const files = readdirSync(directory, { recursive: true })
		.map(String)
		.sort()
		.filter((name) => statSync(join(directory, name)).isFile());
	const name = files[below(files.length)] as string;
	const path = join(directory, name);
	const bytes = readFileSync(path);
	const at = below(bytes.length);
	const way = below(4);
	if (way === 0) rmSync(path);
	else if (way === 1) truncateSync(path, at);
	else if (way === 2)
		writeFileSync(path, bytes.fill(0, at, Math.min(at + 4096, bytes.length)));
	else {
		bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
		writeFileSync(path, bytes);
	}
	return `${["no", "cut", "zeroed", "flipped"][way]} ${name} at ${at}`;
}

it("the doctor says that a node starts exactly when it does, whatever was harmed", async () => {
	const directory = mkdtempSync(join(tmpdir(), "doctor-start-"));
	const template = join(directory, "template");
	makeDataDirectory(template);
	const entries = lifeOf(500);
	const snapshots = [200, 400];
	await makeDirectory(template, { entries, snapshots, compactTo: 200 });
	const codes = new Map<number, number>();
	for (let seed = 1; seed <= 60; seed += 1) {
		const node = join(directory, `${seed}`);
		cpSync(template, node, { recursive: true });
		const harmed = harm(node, seededRandom(seed));
		const told = await examine(await openDataDirectory(node));
		const code = exitCodeOf(told.report);
		codes.set(code, (codes.get(code) ?? 0) + 1);
		expect(await starts(node), `${seed}: ${harmed}, told ${code}`).toBe(
			code !== 11,
		);
		rmSync(node, { recursive: true });
	}
	rmSync(directory, { recursive: true });
	expect([...codes.keys()].sort()).toEqual([0, 10, 11]);
});
