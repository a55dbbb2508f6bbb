import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { defaultLimits } from "../../../src/daemon/engine/limits.js";
import { recover } from "../../../src/daemon/engine/recover.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine } from "../../../src/machines/machine.js";
import { openLogInThread } from "../../../src/storage/in-thread.js";
import type { LogStorageEvents } from "../../../src/storage/log-storage.js";

it.each(["is founded", "is replayed"])(
	"a disk that fails between the first write and the first listener is not passed over when the log %s",
	async (how) => {
		const dataDirectory = await mkdtemp(join(tmpdir(), "raftd-recover-"));
		let events: LogStorageEvents | null = null;
		const options = {
			identity: {
				...{ clusterId: "c", nodeId: "n1", incarnation: "i" },
				levels: { readsFrom: 1, readsTo: 1, writes: 1 },
			},
			joins: false,
			initial: {
				...{ voters: ["n1"], outgoing: [], learners: [] },
				addresses: { n1: { peer: "h:1", client: "h:2", admin: "h:3" } },
			},
			...{ dataDirectory, limits: defaultLimits, machine: kv as Machine },
			diagnose() {},
			openLog: (...[log, heard]: Parameters<typeof openLogInThread>) => {
				events = heard;
				return openLogInThread(log, heard);
			},
		};
		if (how === "is replayed") {
			const before = await recover(options);
			await before.store.close();
			await before.log.close();
		}
		const { log, store, listen } = await recover(options);
		(events as LogStorageEvents | null)?.onFailure(
			new Error("the disk failed"),
		);
		const failures: string[] = [];
		listen({
			durable() {},
			fail: ({ message }) => void failures.push(message),
		});
		expect(failures).toEqual(["the disk failed"]);
		await store.close();
		await log.close();
		await rm(dataDirectory, { recursive: true });
	},
);
