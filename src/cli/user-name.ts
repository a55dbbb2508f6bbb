import { userInfo } from "node:os";

/** Of whom this process is; a container may run as a user that no password file names. */
export function userName(): string {
	try {
		return userInfo().username;
	} catch {
		return `uid-${process.getuid?.() ?? "unknown"}`;
	}
}
