import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { askHidden } from "../../src/cli/hidden-answer.js";

/** A terminal's input as far as a question needs it. */
class Keyboard extends EventEmitter {
	isRaw = false;
	isPaused = true;
	setRawMode(raw: boolean): this {
		this.isRaw = raw;
		return this;
	}
	resume(): this {
		this.isPaused = false;
		return this;
	}
	pause(): this {
		this.isPaused = true;
		return this;
	}
	type(...chunks: readonly string[]): void {
		for (const chunk of chunks) this.emit("data", Buffer.from(chunk));
	}
}

function ask(signal = new AbortController().signal) {
	const input = new Keyboard();
	const written: string[] = [];
	const output = { write: (text: string) => written.push(text) };
	const answer = askHidden("Passphrase: ", signal, {
		input: input as never,
		output,
	});
	return { input, written, answer };
}

describe("a hidden answer", () => {
	it("is what was typed, with what was taken back, and never shown", async () => {
		const { input, written, answer } = ask();
		expect(input.isRaw).toBe(true);
		input.type("opx", "\u007f", "en ", "s\u00e9same\r");
		expect(await answer).toBe("open s\u00e9same");
		expect(written.join("")).toBe("Passphrase: \n");
		expect([input.isRaw, input.isPaused]).toEqual([false, true]);
		expect(input.listenerCount("data")).toBe(0);
	});

	it.each([["\r"], ["\u0004"], ["x\u007f\n"]])(
		"is none when nothing was typed, or the input ended: %j",
		async (typed) => {
			const { input, answer } = ask();
			input.type(typed);
			expect(await answer).toBeNull();
		},
	);

	it("is none when the terminal is gone", async () => {
		const { input, answer } = ask();
		input.emit("end");
		expect(await answer).toBeNull();
	});

	it("ends with Ctrl-C as an interruption, and gives the terminal back", async () => {
		const { input, answer } = ask();
		input.type("half\u0003");
		await expect(answer).rejects.toMatchObject({ kind: "interrupted" });
		expect(input.isRaw).toBe(false);
	});

	it("ends when nobody waits for it any more", async () => {
		const controller = new AbortController();
		const { input, answer } = ask(controller.signal);
		controller.abort(new Error("over"));
		await expect(answer).rejects.toThrow("over");
		expect(input.isRaw).toBe(false);
	});
});
