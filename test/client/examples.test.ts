import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import * as library from "../../src/client/index.js";
import { encodeCommand, encodeQuery } from "../../src/machines/kv/codec.js";
import { kept, serving } from "./cluster.js";

const docs = resolve(import.meta.dirname, "../../docs");
const address = "127.0.0.1:7100";

function read(name: string): string {
	return readFileSync(join(docs, name), "utf8");
}

/** The commands in a page, each with what it is said to print. */
function sessions(page: string): { command: string; printed: string }[] {
	return [...page.matchAll(/^ {4}\$ (.+)\n((?: {4}(?!\$).+\n)*)/gm)].map(
		([, command = "", printed = ""]) => ({ command, printed }),
	);
}

/** Without spaces, as other indexes are as right. */
function shape(text: string): string {
	return text.replace(/\s+/g, "").replace(/\d+/g, "N");
}

function blocks(page: string): string[] {
	return [...page.matchAll(/^```js\n([\s\S]*?)^```/gm)].map(
		([, code = ""]) => code,
	);
}

type AsyncFunction = (...values: unknown[]) => Promise<void>;
const asyncFunction = (async () => {}).constructor as new (
	...source: string[]
) => AsyncFunction;

describe("the examples in the documents", () => {
	it("of the client port print what they say", async () => {
		const { endpoints, replica } = await serving(1);
		// The examples begin at the index 12.
		const client = kept(library.connectKeyValue({ endpoints }));
		while (replica.status().applied < 11) await client.put("x", "");
		const examples = sessions(read("client-api.md"));
		expect(examples.length).toBeGreaterThan(4);
		for (const { command, printed } of examples) {
			const text = command.replaceAll(address, endpoints[0] as string);
			const { stdout } = await promisify(execFile)("bash", [
				"-c",
				text.replaceAll("curl ", "curl -s "),
			]);
			expect({ command, printed: shape(stdout) }).toEqual({
				...{ command, printed: shape(printed) },
			});
			if (!command.includes("od -An"))
				expect(JSON.parse(stdout)).toEqual(JSON.parse(printed));
		}
	});

	it("of the client library run", async () => {
		const { endpoints } = await serving(1);
		const { index } = await kept(library.connectRaft({ endpoints })).command(
			encodeCommand({ op: "put", key: "a", value: "1" }),
		);
		for (const code of blocks(read("client-library.md"))) {
			const runnable = code
				.replace(/^import (\{[^}]*\}) from "raftctl\/client";$/gm, "")
				.replaceAll(address, endpoints[0] as string);
			// What a command is to a machine, a query is not.
			const fitting = runnable.replace(
				/raft\.query\(bytes/g,
				"raft.query(query",
			);
			const isOwn = /const (kv|raft) = /.exec(runnable)?.[1];
			const given: Record<string, unknown> = {
				...library,
				bytes: encodeCommand({ op: "put", key: "a", value: "1" }),
				query: encodeQuery({ op: "get", key: "a" }),
				...(runnable.includes("{ index,") ? {} : { index }),
				...(isOwn === "kv"
					? {}
					: { kv: kept(library.connectKeyValue({ endpoints })) }),
				...(isOwn === "raft"
					? {}
					: { raft: kept(library.connectRaft({ endpoints })) }),
			};
			const end =
				"if (typeof subscription !== 'undefined') subscription.close();";
			const run = new asyncFunction(
				...Object.keys(given),
				`${fitting}\n${end}\n${isOwn === "raft" ? "await raft.close();" : ""}`,
			);
			await run(...Object.values(given));
		}
	});
});
