import { homedir } from "node:os";
import type { ContextOptions } from "../operations/open-context.js";
import { askHidden } from "./hidden-answer.js";
import { userName } from "./user-name.js";

/**
 * What SSH is told of the person and this process. A passphrase comes from RAFTCTL_SSH_PASSPHRASE, or is asked for on a
 * terminal; `beforeAsking` clears that.
 */
export function sshSurroundings(
	beforeAsking: () => Promise<void>,
): ContextOptions["ssh"] {
	return {
		home: homedir(),
		user: userName(),
		agentSocket: process.env.SSH_AUTH_SOCK || null,
		async askPassphrase(file, again, signal) {
			const given = process.env.RAFTCTL_SSH_PASSPHRASE;
			if (given !== undefined) return again ? null : given;
			if (!process.stdin.isTTY || !process.stderr.isTTY) return null;
			await beforeAsking();
			const words = again ? "That is not it. Passphrase" : "Passphrase";
			return oneAtATime(() =>
				askHidden(`${words} of ${file} (empty for none): `, signal),
			);
		},
	};
}

let last: Promise<unknown> = Promise.resolve();

/** There is one terminal; hosts are connected to side by side. */
function oneAtATime<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
	const answer = last.then(ask, ask);
	last = answer;
	return answer;
}
