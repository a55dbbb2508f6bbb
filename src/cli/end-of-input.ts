/**
 * Rejects when the terminal's input ends (Ctrl-D): nothing is left to wait for then, and Node.js would end the process
 * with code 0, as if the answer had been yes.
 */
export async function orEndOfInput<Answer>(
	answer: Promise<Answer>,
): Promise<Answer> {
	let ended = () => {};
	const end = new Promise<never>((_, reject) => {
		ended = () => reject(new Error("the input ended"));
	});
	process.once("beforeExit", ended);
	try {
		return await Promise.race([answer, end]);
	} finally {
		process.off("beforeExit", ended);
	}
}
