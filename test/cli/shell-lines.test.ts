import { describe, expect, it } from "vitest";
import { commandLines, linesOf } from "./shell-lines.js";

describe("the command lines of an example", () => {
	it.each([
		["raftctl up", [["raftctl", "up"]]],
		["raftctl up   # starts | all", [["raftctl", "up"]]],
		["raftctl kv put a 'b c'#d", [["raftctl", "kv", "put", "a", "b c#d"]]],
		["a && b; c | d", [["a"], ["b"], ["c"], ["d"]]],
		["a \\\n  --b", [["a", "--b"]]],
		["a > file 2>&1 -x", [["a", "-x"]]],
		['a "b $c" d\\ e', [["a", "b $c", "d e"]]],
		["source <(a b)", [["source"], ["a", "b"]]],
		["x $(a <node>) y", [["x"], ["a", "<node>"], ["y"]]],
		["a --n=<node> -x", [["a", "--n=<node>", "-x"]]],
	])("%j are %j", (script, lines) => {
		expect(commandLines(script)).toEqual(lines);
	});

	it("are picked by the program, whatever variables stand before it", () => {
		expect(linesOf("raftctl", "X=1 raftctl up\nraftd --help")).toEqual([
			["up"],
		]);
	});
});
