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
