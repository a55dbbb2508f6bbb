import { expect, it } from "vitest";
import { connectRaft } from "../../src/client/index.js";
import { encodeCommand } from "../../src/machines/kv/codec.js";
import { kept, serving } from "./cluster.js";

const put = (key: string) => encodeCommand({ op: "put", key, value: "" });

it("a patient command does not share the fate of an impatient one that asked for the session first", async () => {
	const { endpoints, replica } = await serving(1);
	const client = kept(connectRaft({ endpoints, exactlyOnce: true }));
	// As while a leader is elected: nothing is answered for a while.
	replica.hold();
	const hasty = client
		.command(put("a"), { timeoutMs: 200 })
		.catch((error: unknown) => error);
	await new Promise((resolve) => setTimeout(resolve, 50));
	const patient = client.command(put("b"), { timeoutMs: 30_000 });
	expect(await hasty).toMatchObject({ name: "NotDoneError" });
	replica.release();
	await patient;
});

it("a node whose clock is off is left for one that may open the session", async () => {
	const [off, right] = [await serving(1), await serving(1)];
	off.replica.noSession = {
		...{ kind: "rejected", reason: "clock", retryAfterMs: 0 },
		message: "n1: the clock of the node that took it is 60 s ahead",
	};
	const endpoints = [...off.endpoints, ...right.endpoints];
	const client = kept(
		connectRaft({ endpoints, exactlyOnce: true, prefer: "any" }),
	);
	await client.command(put("a"), { timeoutMs: 30_000 });
	expect(off.replica.proposals).toEqual([]);
	expect(right.replica.proposals).toHaveLength(1);
});

it("a node whose clock is off, and the only one, is named when the time is over", async () => {
	const { endpoints, replica } = await serving(1);
	const message = "n1: the clock of the node that took it is 60 s ahead";
	replica.noSession = {
		...{ kind: "rejected", reason: "clock", retryAfterMs: 0, message },
	};
	const client = kept(connectRaft({ endpoints, exactlyOnce: true }));
	await expect(
		client.command(put("a"), { timeoutMs: 500 }),
	).rejects.toMatchObject({
		...{ name: "NotDoneError", reason: "clock", message },
	});
});
