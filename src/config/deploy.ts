import { z } from "zod";

const absolutePath = z
	.string()
	.regex(
		/^\/[A-Za-z0-9._/-]*[A-Za-z0-9._-]$/,
		"must be an absolute path of letters, digits, dots, dashes and underscores",
	);

/** Where things lie on remote hosts. */
export const deploy = z.strictObject({
	directory: absolutePath
		.optional()
		.describe(
			"On the hosts, where releases lie. By default /opt/raftctl/<name>.",
		),
	state: absolutePath
		.optional()
		.describe(
			"On the hosts, where each node has its configuration and data. By default /var/lib/raftctl/<name>.",
		),
	user: z
		.string()
		.regex(
			/^[a-z_][a-z0-9_-]{0,31}$/,
			"must be the name of a system account: small letters, digits, dashes",
		)
		.optional()
		.describe(
			"On the hosts, the account that the daemon runs under. By default raftd-<name>.",
		),
	keepReleases: z
		.number()
		.int()
		.min(1)
		.max(100)
		.default(3)
		.describe("How many releases stay on a host."),
});

/** A system account's name made of a cluster's. */
export function accountOf(clusterName: string): string {
	const name = clusterName.toLowerCase().replaceAll(/[^a-z0-9_-]/g, "-");
	return `raftd-${name}`.slice(0, 32);
}
