import type { Machine } from "./machine.js";

/*
 * The kernel has one clock for all machines (time namespaces hold no wall clock), so that of one machine alone cannot be
 * set. What is set instead is the time that programs are told: those of the daemon, and whatever is run over SSH.
 * systemd, sshd and the dates of files keep the true time, and so do monotonic clocks, as after a real jump.
 */

const offsetFile = "/etc/lab-clock";

const environment = {
	// $LIB is the loader's word for where libraries of this processor lie.
	LD_PRELOAD: "/usr/$LIB/faketime/libfaketimeMT.so.1",
	FAKETIME_TIMESTAMP_FILE: offsetFile,
	FAKETIME_NO_CACHE: "1",
	FAKETIME_DONT_FAKE_MONOTONIC: "1",
};

/**
 * Lets a machine's clock be set. Programs that already run keep the true time: call it before the daemon is started.
 * Costs each look at the clock about a microsecond, so it is not done unasked.
 */
export async function loosenClock(machine: Machine): Promise<void> {
	const pairs = Object.entries(environment).map(
		([name, value]) => `${name}=${value}`,
	);
	const script = `
test -e "$1" || echo +0 >"$1"
install -d /etc/systemd/system/raftd-.service.d
printf '[Service]\\nEnvironment=%s\\n' "$2" >/etc/systemd/system/raftd-.service.d/lab-clock.conf
printf 'SetEnv %s\\n' "$2" >/etc/ssh/sshd_config.d/lab-clock.conf
systemctl daemon-reload
systemctl reload ssh
`;
	await machine.must(["sh", "-euc", script, "sh", offsetFile, pairs.join(" ")]);
}

/** From the true time, not from what was set before; 0 ends it. */
export async function setClock(
	machine: Machine,
	aheadMs: number,
): Promise<void> {
	const seconds = `${aheadMs < 0 ? "" : "+"}${aheadMs / 1_000}`;
	// Renamed: a program that looks at the clock meanwhile reads the old offset or the new one.
	const script = `test -e "$1" && echo "$2" >"$1.new" && mv "$1.new" "$1"`;
	await machine.must(["sh", "-euc", script, "sh", offsetFile, seconds]);
}
