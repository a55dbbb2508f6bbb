import type { ReadStream } from "node:tty";
import { OperatorError } from "../errors.js";

const limit = 1_024;

/**
 * A line typed on the terminal that is not shown; null for an empty one, or at the end of the input. Throws OperatorError
 * "interrupted" for Ctrl-C, and the signal's reason.
 */
export function askHidden(
	question: string,
	signal: AbortSignal,
	terminal: Terminal = { input: process.stdin, output: process.stderr },
): Promise<string | null> {
	signal.throwIfAborted();
	const { input, output } = terminal;
	output.write(question);
	const wasRaw = input.isRaw;
	input.setRawMode(true);
	input.resume();
	return new Promise<string | null>((resolve, reject) => {
		let typed = "";
		const end = (settle: () => void) => {
			input.off("data", take);
			input.off("end", close);
			signal.removeEventListener("abort", give);
			input.setRawMode(wasRaw);
			input.pause();
			output.write("\n");
			settle();
		};
		const give = () => end(() => reject(signal.reason));
		const close = () => end(() => resolve(null));
		const take = (chunk: Buffer) => {
			for (const letter of chunk.toString("utf8")) {
				if (letter === "\u0003") return end(() => reject(interrupted()));
				if (letter === "\u0004") return close();
				if (letter === "\r" || letter === "\n")
					return end(() => resolve(typed === "" ? null : typed));
				if (letter === "\u007f" || letter === "\b")
					typed = [...typed].slice(0, -1).join("");
				else if (typed.length < limit) typed += letter;
			}
		};
		input.on("data", take);
		input.once("end", close);
		signal.addEventListener("abort", give, { once: true });
	});
}

interface Terminal {
	readonly input: Pick<
		ReadStream,
		"isRaw" | "setRawMode" | "resume" | "pause" | "on" | "off" | "once"
	>;
	readonly output: { write(text: string): unknown };
}

function interrupted(): OperatorError {
	return new OperatorError("interrupted", "interrupted at a question", {
		state: "nothing was touched",
	});
}
