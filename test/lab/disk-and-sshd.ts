import type { Machine } from "./machine.js";
import { until } from "./until.js";

const startLimitMs = 60_000;
const ballast = "/var/lib/raftctl/ballast";

export async function fillDisk(machine: Machine): Promise<void> {
	const script = `
fallocate --length "$(df --output=avail --block-size=1 /var/lib/raftctl | tail -1)" "$1" || true
dd if=/dev/zero of="$1.rest" bs=4096 2>/dev/null || true
test "$(df --output=avail /var/lib/raftctl | tail -1)" -eq 0`;
	await machine.must(["sh", "-euc", script, "sh", ballast]);
}

export async function emptyDisk(machine: Machine): Promise<void> {
	await machine.must(["rm", "-f", ballast, `${ballast}.rest`]);
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
