import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readStdin } from "../../src/cli/stdin.js";

function piped(chunks: Iterable<Uint8Array>): NodeJS.ReadStream {
	return Readable.from(chunks) as unknown as NodeJS.ReadStream;
}

describe("stdin", () => {
	it("is read whole, a letter cut between two chunks included", async () => {
		const bytes = Buffer.from("name: Zürich\n");
		const chunks = [bytes.subarray(0, 8), bytes.subarray(8)];
		expect(await readStdin(piped(chunks))).toBe("name: Zürich\n");
	});

	it("is refused when it is a terminal: nobody would know what to type", async () => {
		const terminal = Object.assign(piped([]), { isTTY: true as const });
		await expect(readStdin(terminal)).rejects.toMatchObject({ kind: "usage" });
	});

	it("is refused beyond 1 MiB, without reading on", async () => {
		let taken = 0;
		function* endless() {
			for (;;) {
				taken += 1;
				yield Buffer.alloc(64 * 1024);
			}
		}
		await expect(readStdin(piped(endless()))).rejects.toMatchObject({
			kind: "config",
		});
		expect(taken).toBeLessThan(100);
	});
});
