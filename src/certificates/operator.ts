import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { OperatorError, reasonOf } from "../errors.js";

interface OperatorFiles {
	/** The directory of certificates. */
	readonly directory: string;
	readonly role: string;
	/** Holds a token to send instead of a certificate; null for none. */
	readonly tokenFile: string | null;
}

interface OperatorMaterial {
	/** PEM. */
	readonly ca: string;
	/** Certificate and key, in PEM; null where a token stands for them. */
	readonly identity: string | null;
	readonly token: string | null;
}

/**
 * What this operator shows to nodes and whom he believes, read again when the files have changed: he may be replacing
 * them himself. Throws OperatorError "config" when a file is missing.
 */
export function operatorMaterial(files: OperatorFiles): () => OperatorMaterial {
	const { directory, role, tokenFile } = files;
	const bundle = fileReader(join(directory, "ca.crt"));
	const identity = fileReader(join(directory, "operators", `${role}.pem`));
	const token = tokenFile === null ? null : fileReader(tokenFile);
	return () => ({
		ca: bundle(),
		identity: token === null ? identity() : null,
		token: token === null ? null : token().trim(),
	});
}

/** The authorities that applications believe, read again when they have changed. */
export function bundleReader(directory: string): () => string {
	return fileReader(join(directory, "ca.crt"));
}

function fileReader(path: string): () => string {
	let seen = "";
	let text = "";
	return () => {
		try {
			const { mtimeMs, size, ino } = statSync(path);
			const now = `${mtimeMs} ${size} ${ino}`;
			if (now !== seen) text = readFileSync(path, "utf8");
			seen = now;
			return text;
		} catch (cause) {
			throw new OperatorError("config", `${path}: ${reasonOf(cause)}`, {
				state: "nothing was asked of any node",
				next: "raftctl certs init makes an authority and all certificates; elsewhere than on the machine where that was done, copy ca.crt and the operator's file from there",
				cause,
			});
		}
	};
}
