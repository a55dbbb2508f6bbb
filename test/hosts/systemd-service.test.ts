import {
	chmod,
	mkdir,
	mkdtemp,
	readFile,
	rm,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Host } from "../../src/hosts/host.js";
import { localHost } from "../../src/hosts/local.js";
import { systemdService, unitOf } from "../../src/hosts/systemd-service.js";

/**
 * systemctl as a script: what `show` says lies in files, and each word may have a script of its own that changes them. The
 * service's own scripts run for real, in this machine's shell.
 */
const systemctl = `#!/bin/sh
cd "$(dirname "$0")/state" || exit 1
if [ "$1" != show ]; then echo "$*" >> ../log; fi
case $1 in
show)
	case $2 in
	*,*) for key in LoadState UnitFileState ActiveState SubState MainPID Result ExecMainCode ExecMainStatus; do echo "$key=$(cat "$key")"; done ;;
	*) cat "\${2#--property=}" ;;
	esac ;;
*) [ ! -f "on-$1" ] || sh "./on-$1" ;;
esac
`;

describe("a program as a unit of systemd", () => {
	let directory: string;
	let host: Host;
	const unit = unitOf("orders", "n1");
	const service = () => systemdService({ name: "n1", unit, host });
	const state = (values: Readonly<Record<string, string>>) =>
		Promise.all(
			Object.entries(values).map(([key, value]) =>
				writeFile(join(directory, "state", key), value),
			),
		);
	const log = async () =>
		(await readFile(join(directory, "log"), "utf8").catch(() => ""))
			.split("\n")
			.filter(Boolean);
	const down = {
		...{ LoadState: "loaded", ActiveState: "inactive", SubState: "dead" },
		UnitFileState: "disabled",
		...{ MainPID: "0", Result: "success" },
		...{ ExecMainCode: "0", ExecMainStatus: "0" },
	};
	const up = { ActiveState: "active", SubState: "running", MainPID: "4711" };

	beforeEach(async () => {
		directory = await mkdtemp(join(tmpdir(), "raftctl-systemd-"));
		await mkdir(join(directory, "state"));
		const path = `${directory}:${process.env.PATH}`;
		// sudo, which a test that is not root would need, is a program that runs the rest.
		for (const [name, text] of [
			["systemctl", systemctl],
			["sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n'],
			["journalctl", '#!/bin/sh\necho "$*"\n'],
		] as const) {
			await writeFile(join(directory, name), text);
			await chmod(join(directory, name), 0o755);
		}
		const local = localHost();
		host = {
			...local,
			name: "h1",
			run: (argv, options) =>
				local.run(["env", `PATH=${path}`, ...argv], options),
		};
		await state(down);
	});
	afterEach(() => rm(directory, { recursive: true, force: true }));

	it("is named after its cluster and its node", () => {
		expect(unit).toBe("raftd-orders-n1.service");
	});

	it("is started until its process is there, whether or not it is ready by then", async () => {
		// With Type=notify systemctl itself waits for READY, which here never comes.
		await state({
			"on-start":
				"echo activating > ActiveState; echo 4711 > MainPID; sleep 60",
		});
		await service().start();
		expect(await log()).toEqual([`start ${unit}`]);
		expect(await service().state()).toEqual({ running: true, pid: 4711 });
	});

	it("is left alone where it runs already", async () => {
		await state(up);
		await service().start();
		expect(await log()).toEqual([]);
	});

	it("is given another chance where systemd has given up on it", async () => {
		await state({ ActiveState: "failed", "on-start": "echo 5 > MainPID" });
		await service().start();
		expect(await log()).toEqual([`reset-failed ${unit}`, `start ${unit}`]);
	});

	it("starts with its host, or does not, as it is told", async () => {
		const { boot } = service();
		expect(await boot?.isSet()).toBe(false);
		await state({ "on-enable": "echo enabled > UnitFileState" });
		await boot?.set(true);
		expect(await boot?.isSet()).toBe(true);
		await boot?.set(false);
		expect(await log()).toEqual([`enable ${unit}`, `disable ${unit}`]);
	});

	it("says what sudo said when that may not be changed", async () => {
		await state({ "on-disable": "echo 'sudo: not allowed' >&2; exit 1" });
		await expect(service().boot?.set(false)).rejects.toMatchObject({
			...{ kind: "refused", node: "n1" },
			message: `${unit} could not be disabled`,
			problems: ["sudo: not allowed"],
		});
	});

	it("says what systemctl said when it cannot be started", async () => {
		await state({
			"on-start": "echo 'sudo: a password is required' >&2; exit 1",
		});
		await expect(service().start()).rejects.toMatchObject({
			...{ kind: "unexpected", node: "n1" },
			problems: ["sudo: a password is required"],
			next: expect.stringContaining("sudo -l"),
		});
	});

	it("is not started, and said to be missing, where no unit was installed", async () => {
		await state({ LoadState: "not-found" });
		await expect(service().start()).rejects.toMatchObject({
			...{ kind: "refused", message: `h1 has no unit ${unit}` },
			next: expect.stringContaining("raftctl deploy"),
		});
		expect(await log()).toEqual([]);
		await service().stop(5_000);
		expect(await service().state()).toEqual({ running: false, exit: null });
	});

	it("is stopped until it has no process any more", async () => {
		await state({
			...up,
			"on-stop":
				"echo deactivating > ActiveState; sleep 1; echo inactive > ActiveState; echo 0 > MainPID",
		});
		await service().stop(30_000);
		expect(await log()).toEqual([`stop ${unit}`]);
		expect(await service().state()).toEqual({ running: false, exit: null });
	});

	it("that does not end in time is waited for no longer, and is not killed", async () => {
		await state({ ...up, "on-stop": "sleep 60" });
		await expect(service().stop(300)).rejects.toMatchObject({
			...{ kind: "timeout", node: "n1" },
			state: "It was asked to stop and still runs.",
		});
		expect(await log()).toEqual([`stop ${unit}`]);
	});

	it("is killed and stays down: systemd would start again what it was not told to stop", async () => {
		await state({
			...{ ...up, "on-stop": "echo deactivating > ActiveState" },
			"on-kill":
				"[ $(cat ActiveState) = deactivating ] && echo inactive > ActiveState",
		});
		await service().kill();
		const words = await log();
		expect(words[0]).toBe(`stop ${unit}`);
		expect(words.at(-1)).toBe(`kill --signal=KILL ${unit}`);
	});

	it.each([
		[{ ExecMainCode: "1", ExecMainStatus: "7" }, "exit code 7"],
		[{ ExecMainCode: "2", ExecMainStatus: "9" }, "signal 9"],
		[{ Result: "oom-kill" }, "oom-kill"],
		[
			{
				...{ ActiveState: "activating", SubState: "auto-restart" },
				...{ ExecMainCode: "3", ExecMainStatus: "6" },
			},
			"signal 6; systemd starts it again",
		],
		[{}, null],
	])("that is down tells how it ended: %j", async (values, exit) => {
		await state(values);
		expect(await service().state()).toEqual({ running: false, exit });
	});

	it("shows the last lines of its journal", async () => {
		expect(await service().logTail(20)).toBe(
			`--unit=${unit} --lines=20 --no-pager --quiet --output=cat`,
		);
	});
});
