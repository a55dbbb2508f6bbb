import { expect, it } from "vitest";
import { errorText, OperatorError } from "../src/errors.js";

it("an error is told in one form: what happened, each problem, the state, what to do next", () => {
	const error = new OperatorError("refused", "the file is damaged", {
		problems: ["at offset 3: a checksum"],
		state: "nothing was changed",
		next: "take another file",
	});
	expect(errorText(error)).toBe(
		"Error: the file is damaged.\n  at offset 3: a checksum\nState: nothing was changed.\nNext: take another file\n",
	);
	expect(errorText(new OperatorError("usage", "what?"))).toBe("Error: what?\n");
});
