import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { receiveError, sendError } from "../../src/storage/hand-over.js";

it("an error of the system keeps its file's name on the way to another thread", () => {
	const path = join(import.meta.dirname, "nothing");
	try {
		readFileSync(path);
		expect.unreachable();
	} catch (error) {
		const sent = structuredClone(sendError(error));
		expect(receiveError(sent)).toMatchObject({
			...{ code: "ENOENT", path, syscall: "open" },
			message: (error as Error).message,
		});
	}
});
