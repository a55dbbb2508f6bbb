import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LaunchReader } from "../../../src/hosts/ssh/launcher.js";

const marker = "raftctl-0123";
const stat =
	"4711 (a b) c) S 1 4711 4711 0 -1 4194560 113 0 0 0 0 0 0 0 20 0 1 0 987654 2400256 176";

function read(chunks: readonly Buffer[]) {
	const reader = new LaunchReader(marker);
	const output = Buffer.concat(chunks.map((chunk) => reader.push(chunk)));
	return { reader, output: output.toString("latin1") };
}

describe("what comes from a host", () => {
	it("is the command's own from the line on that says which process it is, however it is cut", () => {
		fc.assert(
			fc.property(
				fc.string().map((noise) => noise.replaceAll(marker, "")),
				fc.string({ unit: "binary-ascii" }),
				fc.array(fc.nat()),
				(noise, output, cuts) => {
					const text = `${noise}\n${marker} ${stat}\n${output}`;
					const bytes = Buffer.from(text, "latin1");
					const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1))];
					const ends = [...places.sort((a, b) => a - b), bytes.length];
					const chunks = ends
						.slice(1)
						.map((end, at) => bytes.subarray(ends[at], end));
					const found = read(chunks);
					expect(found.output).toBe(output);
					expect(found.reader.process).toEqual({
						...{ group: "4711", began: "987654" },
					});
				},
			),
		);
	});

	it("is noise without that line, and too much of it is refused", () => {
		const { reader, output } = read([Buffer.from("sudo: no\n")]);
		expect([output, reader.process, reader.noise]).toEqual([
			...["", null, "sudo: no"],
		]);
		expect(() => reader.push(Buffer.alloc(70_000, "x"))).toThrow(RangeError);
	});
});
