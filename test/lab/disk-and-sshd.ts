import type { Machine } from "./machine.js";
import { until } from "./until.js";

const startLimitMs = 60_000;
const ballast = "/var/lib/raftctl/ballast";

/** What is there may remove files meanwhile: so it goes on until nothing is left, for a while. */
export async function fillDisk(machine: Machine): Promise<void> {
	const script = `
avail() { df --output=avail --block-size=1 /var/lib/raftctl | tail -1; }
for turn in 1 2 3 4 5 6 7 8 9 10; do
	fallocate --length "$(avail)" "$1.$turn" || true
	dd if=/dev/zero of="$1.$turn.rest" bs=4096 2>/dev/null || true
	[ "$(avail)" -ne 0 ] || exit 0
done
exit 1`;
	await machine.must(["sh", "-euc", script, "sh", ballast]);
}

export async function emptyDisk(machine: Machine): Promise<void> {
	await machine.must(["sh", "-euc", `rm -f ${ballast}.*`]);
}

export async function stopSsh(machine: Machine): Promise<void> {
	const all = ["--signal=KILL", "--kill-whom=all"];
	await machine.must(["systemctl", "kill", ...all, "ssh"]);
	await machine.must(["systemctl", "stop", "ssh"]);
}

/** The systemd of a machine that only just boots takes no orders yet. */
export async function startSsh(machine: Machine): Promise<void> {
	const isStarted = async () =>
		(await machine.exec(["systemctl", "start", "ssh"])).exitCode === 0;
	await until(isStarted, startLimitMs, {
		what: `sshd of ${machine.name} to start`,
		node: machine.name,
	});
}
