import { dirname } from "node:path";
import type { FrontBalancerEntry, Inventory } from "../../config/inventory.js";
import { unitOf } from "../../hosts/systemd-service.js";

/** Words that an account that is not root needs sudo for. */
export interface Right {
	readonly words: string;
	/** Whoever may write this needs no sudo for them; null where nothing stands in for it. */
	readonly unlessWritable: string | null;
}

/** To operate nodes: the forms of templates/sudoers. `login` is the account. */
export function nodeRights(
	{ name, deploy }: Pick<Inventory, "name" | "deploy">,
	{
		login,
		nodes,
	}: { readonly login: string; readonly nodes: readonly string[] },
): readonly Right[] {
	const { user, directory, state } = deploy;
	const units = nodes.map((node) => unitOf(name, node));
	return [
		"groupadd --force --system raftd",
		`useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --gid raftd ${user}`,
		`install -d -m 0755 -o ${login} ${dirname(directory)}`,
		`install -d -m 0755 -o ${login} ${directory}`,
		`install -d -m 0750 -o ${user} -g raftd ${state}`,
		...[directory, state].map((path) => `rmdir ${path}`),
		"systemctl daemon-reload",
		...units.flatMap((unit) => [
			`install -m 0644 /dev/stdin /etc/systemd/system/${unit}`,
			`rm -f /etc/systemd/system/${unit}`,
			...verbs.map((verb) => `systemctl ${verb} ${unit}`),
			`systemctl kill --signal=KILL ${unit}`,
		]),
	].map((words) => ({ words, unlessWritable: null }));
}

const verbs = ["start", "stop", "restart", "enable", "disable", "reset-failed"];

/** To write a balancer's configuration and have it read. */
export function balancerRights({
	kind,
	config,
	reload,
}: FrontBalancerEntry): readonly Right[] {
	const writing = [
		`cp -p ${config} ${config}.bak`,
		`cp -p ${config} ${config}.new`,
		`mv -f ${config}.new ${config}`,
	].map((words) => ({ words, unlessWritable: config }));
	if (reload !== null) return writing;
	return [
		...writing,
		{ words: `systemctl reload ${kind}`, unlessWritable: null },
	];
}
