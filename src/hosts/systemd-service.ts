import { OperatorError } from "../errors.js";
import type { Boot, Host, RunResult, Service, ServiceState } from "./host.js";

export interface SystemdServiceOptions {
	/** For people, as "n1". */
	readonly name: string;
	/** As "raftd-orders-n1.service". */
	readonly unit: string;
	/** As the account that may use sudo, or as root. */
	readonly host: Host;
}

/** The unit of a cluster's node on its host. */
export function unitOf(cluster: string, node: string): string {
	return `raftd-${cluster}-${node}.service`;
}

/**
 * A long-running program as a systemd unit, which must be there. systemctl is given as few words as sudo has to allow:
 * templates/sudoers. What it does not need root for, it is asked without.
 */
export function systemdService(options: SystemdServiceOptions): Service {
	return new SystemdService(options);
}

/** Asking. */
const callMs = 15_000;
const killMs = 10_000;
const startMs = 60_000;
const logMs = 15_000;
/** How long a script on the host may take beyond what it waits for. */
const slackMs = 10_000;

/** What is asked of the unit, each a line "Key=value". */
const properties =
	"LoadState,UnitFileState,ActiveState,SubState,MainPID,Result,ExecMainCode,ExecMainStatus";

/**
 * What systemctl needs root for; root may have no sudo. What goes on in the background must hold no output of the script's
 * own, or its end is never seen: hence the subshells that give theirs away.
 */
const asRoot = `unit=$1 limit=$2
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
active() { systemctl show --property=ActiveState --value -- "$unit"; }
log=$(mktemp) || exit 1
trap 'rm -f -- "$log"' EXIT
tried=0
`;

/**
 * One round trip: begins the work, which systemctl itself waits for to its end, and looks until the process is there. With
 * Type=notify the end is the program's own READY, which is not ours to wait for. A unit that failed too often lately is not
 * started again before somebody says so.
 */
const startScript = `${asRoot}
[ "$(active)" != failed ] || as_root systemctl reset-failed "$unit" || exit 1
(exec > "$log" 2>&1; as_root systemctl start "$unit") &
while [ "$tried" -lt "$limit" ]; do
	pid=$(systemctl show --property=MainPID --value -- "$unit")
	[ "\${pid:-0}" -gt 0 ] && exit 0
	if ! kill -0 $! 2>/dev/null; then
		wait $! && exit 0
		cat -- "$log" >&2
		exit 1
	fi
	tried=$((tried + 1))
	sleep 0.1
done
exit 75`;

/** The same for an end: until the unit has no process any more. */
const stopScript = `${asRoot}
(exec > "$log" 2>&1; as_root systemctl stop "$unit") &
told=
while [ "$tried" -lt "$limit" ]; do
	case $(active) in
	inactive | failed) exit 0 ;;
	esac
	if [ -z "$told" ] && ! kill -0 $! 2>/dev/null; then
		wait $! || { cat -- "$log" >&2; exit 1; }
		told=1
	fi
	tried=$((tried + 1))
	sleep 0.1
done
exit 75`;

/**
 * Stopped as well as killed: a unit that only lost its process would be started again. So the stop goes first; a second
 * later it is killed all the same.
 */
const killScript = `${asRoot}
(exec > "$log" 2>&1; as_root systemctl stop "$unit") &
while [ "$tried" -lt "$limit" ]; do
	state=$(active)
	case $state in
	inactive | failed) exit 0 ;;
	esac
	if [ "$state" != active ] || [ "$tried" -ge 10 ]; then
		as_root systemctl kill --signal=KILL "$unit" >> "$log" 2>&1
	fi
	tried=$((tried + 1))
	sleep 0.1
done
cat -- "$log" >&2
exit 1`;

const bootMs = 30_000;
const enableScript = `${asRoot}
as_root systemctl enable "$unit" 2>&1`;
const disableScript = `${asRoot}
as_root systemctl disable "$unit" 2>&1`;

const stillWaiting = 75;

class SystemdService implements Service {
	readonly name: string;
	readonly #options: SystemdServiceOptions;

	constructor(options: SystemdServiceOptions) {
		this.name = options.name;
		this.#options = options;
	}

	async start(signal?: AbortSignal): Promise<void> {
		const properties = await this.#properties(signal);
		if (runs(properties)) return;
		this.#requireUnit(properties);
		const result = await this.#script(startScript, startMs, signal);
		if (result.exitCode === stillWaiting)
			throw this.#failure("timeout", `has no process after ${startMs} ms`);
		if (result.exitCode !== 0)
			throw this.#failure("unexpected", "could not be started", result);
	}

	async stop(timeoutMs: number, signal?: AbortSignal): Promise<void> {
		const result = await this.#script(stopScript, timeoutMs, signal);
		if (result.exitCode === stillWaiting)
			throw this.#failure("timeout", `did not end within ${timeoutMs} ms`, {
				state: "It was asked to stop and still runs.",
			});
		if (result.exitCode !== 0)
			throw this.#failure("unexpected", "could not be stopped", result);
	}

	async kill(): Promise<void> {
		const result = await this.#script(killScript, killMs);
		if (result.exitCode !== 0)
			throw this.#failure("unexpected", "could not be killed", result);
	}

	async state(): Promise<ServiceState> {
		const found = await this.#properties();
		const pid = Number(found.get("MainPID"));
		return runs(found)
			? { running: true, pid }
			: { running: false, exit: exitOf(found) };
	}

	readonly boot: Boot = {
		isSet: async () =>
			(await this.#properties()).get("UnitFileState") === "enabled",
		set: async (starts, signal) => {
			const script = starts ? enableScript : disableScript;
			const result = await this.#script(script, bootMs, signal);
			if (result.exitCode === 0) return;
			const what = starts ? "enabled" : "disabled";
			const { stdout: stderr } = result;
			throw this.#failure("refused", `could not be ${what}`, { stderr });
		},
	};

	/** What the account may read of the journal, which is all where it is in the group systemd-journal. */
	async logTail(lines: number): Promise<string> {
		const { host, unit } = this.#options;
		const words = ["--no-pager", "--quiet", "--output=cat"];
		const { stdout } = await host.run(
			["journalctl", `--unit=${unit}`, `--lines=${lines}`, ...words],
			{ timeoutMs: logMs },
		);
		return stdout.trimEnd();
	}

	/** `limitMs` is what the script waits for, in tenths of a second. */
	#script(
		text: string,
		limitMs: number,
		signal?: AbortSignal,
	): Promise<RunResult> {
		const { host, unit } = this.#options;
		const tenths = String(Math.max(1, Math.ceil(limitMs / 100)));
		return host.run(["sh", "-c", text, "sh", unit, tenths], {
			timeoutMs: limitMs + slackMs,
			...(signal === undefined ? {} : { signal }),
		});
	}

	async #properties(
		signal?: AbortSignal,
	): Promise<ReadonlyMap<string, string>> {
		const { host, unit } = this.#options;
		const result = await host.run(
			["systemctl", "show", `--property=${properties}`, "--", unit],
			{
				timeoutMs: callMs,
				...(signal === undefined ? {} : { signal }),
			},
		);
		if (result.exitCode !== 0)
			throw this.#failure("unexpected", "could not be looked at", result);
		return new Map(
			result.stdout.split("\n").map((line): [string, string] => {
				const at = line.indexOf("=");
				return [line.slice(0, at), line.slice(at + 1)];
			}),
		);
	}

	#requireUnit(found: ReadonlyMap<string, string>): void {
		const { unit, host } = this.#options;
		const load = found.get("LoadState") ?? "not-found";
		if (load === "loaded") return;
		throw new OperatorError(
			"refused",
			load === "not-found"
				? `${host.name} has no unit ${unit}`
				: `systemd does not take the unit ${unit}: ${load}`,
			{
				...{ node: this.name, state: "It does not run." },
				next: "bring it there: raftctl deploy",
			},
		);
	}

	#failure(
		kind: "timeout" | "unexpected" | "refused",
		what: string,
		{ stderr = "", state }: { stderr?: string; state?: string } = {},
	): OperatorError {
		const { unit, host } = this.#options;
		const said = stderr.trim().split("\n").filter(Boolean).slice(0, 5);
		return new OperatorError(kind, `${unit} ${what}`, {
			node: this.name,
			problems: said,
			...(state === undefined ? {} : { state }),
			next: `on ${host.name}: systemctl status ${unit}; what sudo allows: sudo -l`,
		});
	}
}

/** Between two starts by itself a unit is "activating" and has no process. */
function runs(found: ReadonlyMap<string, string>): boolean {
	const states = ["active", "activating", "deactivating", "reloading"];
	return (
		Number(found.get("MainPID") ?? 0) > 0 &&
		states.includes(found.get("ActiveState") ?? "")
	);
}

/** CLD_EXITED, CLD_KILLED and CLD_DUMPED of waitid(2). */
const exited = "1";
const signalled = ["2", "3"];

function exitOf(found: ReadonlyMap<string, string>): string | null {
	const code = found.get("ExecMainCode") ?? "0";
	const status = found.get("ExecMainStatus") ?? "";
	const again =
		found.get("SubState") === "auto-restart" ? "; systemd starts it again" : "";
	if (code === exited && status === "0" && again === "") return null;
	if (code === exited) return `exit code ${status}${again}`;
	if (signalled.includes(code)) return `signal ${status}${again}`;
	const result = found.get("Result") ?? "success";
	return result === "success" ? null : result;
}
