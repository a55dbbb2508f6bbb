import { describe, expect, it } from "vitest";
import { doOn, isThere, namesIn } from "../../src/operations/host-files.js";
import { FakeFiles, failed } from "../fakes/fake-files.js";
import { failureOf } from "./operating.js";

describe("files on a host", () => {
	it("are there when they are, or when a directory holds anything", async () => {
		const disk = new FakeFiles();
		disk.files.set("/data/n1/identity.json", "{}");
		disk.files.set("/data/n1/wal/0001.wal", "x");
		const host = disk.host("h1");
		expect(await namesIn(host, "/data/n1")).toEqual(["identity.json", "wal"]);
		expect(await isThere(host, "/data/n1/identity.json")).toBe(true);
		expect(await isThere(host, "/data/n2")).toBe(false);
	});

	it("tell of a full disk that room is to be made, and what to type then", async () => {
		const disk = new FakeFiles();
		disk.isFull = true;
		const failure = await failureOf(
			doOn(disk.host("h1"), ["cp", "/a", "/b"], {
				...{ about: "n1", state: "nothing was moved" },
			}),
		);
		expect(failure).toMatchObject({
			...{ kind: "partial", node: "n1", state: "nothing was moved" },
			message:
				"a disk of h1 is full: cp /a /b ended with 1: No space left on device",
			next: "make room on h1 (df -h there), then give the command again",
		});
	});

	it("tell what a program said otherwise, and make nothing up", async () => {
		const disk = new FakeFiles();
		disk.program = () => failed("Permission denied");
		const failure = await failureOf(
			doOn(disk.host("h1"), ["mv", "-T", "/a", "/b"], { about: "n1" }),
		);
		expect(failure.message).toBe("mv -T /a /b ended with 1: Permission denied");
		expect([failure.state, failure.next]).toEqual([undefined, undefined]);
	});
});
