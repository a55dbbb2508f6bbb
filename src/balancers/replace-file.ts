import { basename, dirname } from "node:path";
import { isOfFullDisk, OperatorError, roomOn } from "../errors.js";
import type { Host } from "../hosts/host.js";
import { runPrivileged } from "./privilege.js";

interface Replacement {
	readonly path: string;
	readonly content: string;
	/** Refuses by throwing; `candidate` lies beside nothing that a program reads. */
	readonly validate: (candidate: string) => Promise<void>;
	readonly signal: AbortSignal | undefined;
}

export interface Replaced {
	/** Puts back what was there. */
	undo(): Promise<void>;
}

/**
 * Replaces a file of a balancer's host as a whole, keeping its owner and mode, and the old one beside it as `.bak`. What is new
 * is validated first, in a directory of its own.
 */
export async function replaceFile(
	host: Host,
	{ path, content, validate, signal }: Replacement,
): Promise<Replaced> {
	const candidate = `/tmp/raftctl-${basename(path)}`;
	const limits = { timeoutMs: 10_000, ...(signal ? { signal } : {}) };
	const plain = await isWritable(host, path, limits);
	const step = async (...argv: string[]) => {
		const options = { plain, signal };
		const { exitCode, stderr } = await runPrivileged(host, argv, options);
		if (exitCode === 0) return;
		throw new OperatorError(
			"refused",
			`${path} on ${host.name} could not be written: ${stderr.trim()}`,
			{
				...{ node: host.name, state: "it is as it was" },
				...(isOfFullDisk(stderr) ? { remedy: roomOn(host.name) } : {}),
			},
		);
	};
	const isNew = (await host.read(path)) === null;
	// What others have written into the file may be secret.
	await host.upload(candidate, Buffer.from(content), isNew ? 0o644 : 0o600);
	try {
		await validate(candidate);
		const [fresh, kept] = [`${path}.new`, `${path}.bak`];
		if (!isNew) {
			await step("cp", "-p", path, kept);
			// What is written into the copy keeps the old file's owner and mode.
			await step("cp", "-p", path, fresh);
		}
		await step("cp", candidate, fresh);
		await step("mv", "-f", fresh, path);
		return {
			undo: () =>
				isNew ? step("rm", "-f", path) : step("cp", "-p", kept, path),
		};
	} finally {
		await host.run(["rm", "-f", candidate], limits).catch(() => undefined);
	}
}

/** Without anybody's help: the file itself can be written, and others beside it. */
async function isWritable(
	host: Host,
	path: string,
	limits: { readonly timeoutMs: number },
): Promise<boolean> {
	const script = 'test -w "$1" && { test -w "$2" || ! test -e "$2"; }';
	const argv = ["sh", "-c", script, "raftctl", dirname(path), path];
	return (await host.run(argv, limits)).exitCode === 0;
}
