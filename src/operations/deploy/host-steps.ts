import type { NodeEntry } from "../../config/inventory.js";
import { isOfFullDisk, OperatorError, roomOn } from "../../errors.js";
import { unitOf } from "../../hosts/systemd-service.js";
import type { OperationContext } from "../context.js";
import { switchRelease } from "../releases/installed.js";
import { pruneReleases } from "../releases/prune.js";
import { shipRelease } from "../releases/ship.js";
import type { Step } from "../steps/step.js";
import type { Offer } from "./release.js";
import type { Found } from "./survey.js";

/** Making an account or a file; systemd reading its units. */
const stepTimeoutMs = 60_000;

/** What needs root is done as templates/sudoers has it, word for word; root may have no sudo. */
const asRoot = `set -eu
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
`;

const prepareScript = `${asRoot}
user=$1 directory=$2 state=$3
login=$(id -un)
if ! id -u -- "$user" >/dev/null 2>&1; then
	as_root groupadd --force --system raftd
	as_root useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --gid raftd "$user"
fi
for path in "$(dirname -- "$directory")" "$directory"; do
	[ -d "$path" ] || as_root install -d -m 0755 -o "$login" "$path"
done
[ -d "$state" ] || as_root install -d -m 0750 -o "$user" -g raftd "$state"
`;

const unitScript = `${asRoot}
as_root install -m 0644 /dev/stdin "/etc/systemd/system/$1"
`;

const reloadScript = `${asRoot}
as_root systemctl daemon-reload
`;

const enableScript = `${asRoot}
as_root systemctl enable "$1" 2>&1
`;

/** The account that the daemon runs under, and where releases and the nodes' files lie. */
export function prepareStep(
	context: OperationContext,
	{ host, survey }: Found,
): Step {
	const { deploy } = context.inventory;
	const isThere =
		survey.accountGroup !== null &&
		survey.directory !== null &&
		survey.state !== null;
	return {
		...{ id: `${host}/prepare`, node: null, cost: "" },
		title: `make the account ${deploy.user}, ${deploy.directory} and ${deploy.state}`,
		isDone: async () => (isThere ? "they are there" : null),
		async run(signal) {
			const words = [deploy.user, deploy.directory, deploy.state];
			await onHost(context, {
				...{ host, script: prepareScript, words, signal },
				what: "the account and the directories could not be made",
			});
			return null;
		},
	};
}

/** Brings the release there; afterwards the oldest go. */
export function releaseStep(
	context: OperationContext,
	{ host, survey }: Found,
	{ manifest: { version }, archive }: Offer,
): Step {
	return {
		...{ id: `${host}/release`, node: null, cost: "" },
		title: `bring the release ${version} to ${host}`,
		isDone: async () =>
			survey.releases.includes(version) || archive === null
				? "it is there"
				: null,
		async run(signal, progress) {
			if (archive === null) return null;
			const note = await shipRelease(context, {
				...{ host, version, archive, signal, progress },
			});
			const gone = await pruneReleases(context, host);
			return gone.length === 0 ? note : `${note}; removed ${gone.join(", ")}`;
		},
	};
}

/** Which release the node starts with, where it has none yet. */
export function switchStep(
	context: OperationContext,
	node: NodeEntry,
	version: string,
): Step {
	return {
		...{ id: `${node.id}/release`, node: node.id, cost: "" },
		title: `let it start with ${version}`,
		async run() {
			await switchRelease(context, node, version);
			return null;
		},
	};
}

/** `text`: null where it is as it is to be. */
export function unitStep(
	context: OperationContext,
	node: NodeEntry,
	text: string | null,
): Step {
	const unit = unitOf(context.inventory.name, node.id);
	return {
		...{ id: `${node.id}/unit`, node: node.id, cost: "" },
		title: `write ${unit}`,
		isDone: async () => (text === null ? "it is as it is to be" : null),
		async run(signal) {
			await onHost(context, {
				...{ host: node.host, script: unitScript, words: [unit], signal },
				what: `${unit} could not be written`,
				stdin: Buffer.from(text ?? ""),
			});
			return null;
		},
	};
}

/** After its units are written; also when whoever wrote them was killed before it. */
export function reloadStep(
	context: OperationContext,
	host: string,
	isNeeded: boolean,
): Step {
	return {
		...{ id: `${host}/reload`, node: null, cost: "" },
		title: "have systemd read its units",
		isDone: async () => (isNeeded ? null : "it knows them"),
		async run(signal) {
			await onHost(context, {
				...{ host, script: reloadScript, words: [], signal },
				what: "systemd could not be told to read its units",
			});
			return null;
		},
	};
}

export async function enableUnit(
	context: OperationContext,
	node: NodeEntry,
	signal: AbortSignal,
): Promise<void> {
	const unit = unitOf(context.inventory.name, node.id);
	await onHost(context, {
		...{ host: node.host, script: enableScript, words: [unit], signal },
		what: `${unit} could not be enabled`,
	});
}

async function onHost(
	{ machines }: OperationContext,
	{
		host: name,
		script,
		words,
		signal,
		stdin,
		what,
	}: {
		readonly host: string;
		readonly script: string;
		readonly words: readonly string[];
		readonly signal: AbortSignal;
		readonly stdin?: Uint8Array;
		/** Has failed, in words, when the script does not end well. */
		readonly what: string;
	},
): Promise<void> {
	const host = await machines.host(name, "login");
	const { exitCode, stdout, stderr } = await host.run(
		["sh", "-c", script, "deploy", ...words],
		{
			...{ timeoutMs: stepTimeoutMs, signal },
			...(stdin === undefined ? {} : { stdin }),
		},
	);
	if (exitCode === 0) return;
	const said = (stderr.trim() || stdout.trim()).split("\n").slice(-3);
	throw new OperatorError(
		"refused",
		`${what}: ${said.join("; ") || `exit code ${exitCode}`}`,
		{
			node: name,
			state: "what was done before it stays; deploy goes on from there",
			...(isOfFullDisk(stderr)
				? { remedy: roomOn(name) }
				: {
						next: `on ${name}: sudo -l; templates/sudoers has what it must allow`,
					}),
		},
	);
}
