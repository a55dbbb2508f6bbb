/**
 * What a host is like, in one round trip, by the account that logs in; it changes nothing but for a file of 4 KiB that is
 * gone again. A line for each finding, its name first. Arguments: the daemon's account, where nodes will have their files,
 * the ports that they will listen on (hexadecimal, in one word), and what sudo is asked for (rights.ts).
 */
export const lookScript = `
user=$1 state=$2 ports=$3
shift 3
LC_ALL=C
export LC_ALL
say() { printf '%s %s\\n' "$1" "$2"; }
say uid "$(id -u)"
say login "$(id -un)"
say kernel "$(uname -s)"
say arch "$(uname -m)"
say glibc "$(getconf GNU_LIBC_VERSION 2>/dev/null)"
say node "$(node --version 2>/dev/null)"
say systemd "$(systemctl --version 2>/dev/null | awk 'NR == 1 { print $2 }')"
say memory "$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo 2>/dev/null)"
above() {
	path=$1
	while [ ! -e "$path" ]; do path=$(dirname -- "$path"); done
	printf '%s' "$path"
}
place=$(above "$state")
say free "$(df -P -B1 -- "$place" | awk 'NR == 2 { print $4 }')"

as() { "$@"; }
target=
if [ -w "$place" ]; then
	target=$place
elif [ "$place" = "$state" ] && sudo -n -u "$user" -- test -w "$place" 2>/dev/null; then
	target=$place
	as() { sudo -n -u "$user" -- "$@"; }
else
	for other in /var/tmp /tmp "$HOME"; do
		[ -z "$target" ] && [ -w "$other" ] && [ "$(stat -c %d -- "$other")" = "$(stat -c %d -- "$place")" ] && target=$other
	done
fi
if [ -n "$target" ]; then
	probe=$target/.raftctl-doctor.$$
	trap 'as rm -f -- "$probe"' EXIT
	say sync "$(as dd if=/dev/zero of="$probe" bs=4096 count=20 conv=notrunc oflag=dsync 2>&1 | sed -n 's/.*copied, \\([0-9.e-]*\\) s.*/\\1/p')"
fi

awk -v ports=" $ports " '$4 == "0A" {
	split($2, address, ":")
	if (index(ports, " " address[2] " ")) print address[1], address[2], $8
}' /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r address port uid; do
	program=$(ss -ltnpH "sport = :$((0x$port))" 2>/dev/null | sed -n 's/.*users:(("\\([^"]*\\)",pid=\\([0-9]*\\).*/\\1 (process \\2)/p' | head -n 1)
	say listens "$address:$port $(id -un -- "$uid" 2>/dev/null || echo "$uid") $program"
done

if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo > /dev/null 2>&1; then
		say nosudo yes
	else
		for words do
			# "path|words": not needed where that may be written without. Words of ours, without a quote or a wildcard.
			set -f
			path=\${words%%|*}
			words=\${words#*|}
			[ -n "$path" ] && [ -w "$path" ] && [ -w "$(dirname -- "$path")" ] && continue
			sudo -n -l -- $words > /dev/null 2>&1 < /dev/null || say denied "$words"
		done
		if id -u -- "$user" > /dev/null 2>&1; then
			sudo -n -u "$user" -- true > /dev/null 2>&1 || say denied "-u $user"
		fi
	fi
fi
command -v perl > /dev/null 2>&1 && say perl yes
exit 0
`;

/** What the script found. */
export interface HostLook {
	readonly login: string;
	readonly isRoot: boolean;
	readonly kernel: string;
	/** As `uname -m` has it. */
	readonly arch: string;
	/** "2.36"; null where the C library is another. */
	readonly glibc: string | null;
	/** "v20.19.2"; null where there is none. */
	readonly nodeJs: string | null;
	/** Null where there is none. */
	readonly systemdVersion: number | null;
	readonly availableMemoryBytes: number | null;
	/** Where nodes will have their files. */
	readonly freeBytes: number | null;
	/** How long a write of 4 KiB takes until it is on the disk, on average; null where no file could be written. */
	readonly syncMs: number | null;
	readonly listeners: readonly Listener[];
	/** Words of sudo that the account may not use. */
	readonly denied: readonly string[];
	readonly hasSudo: boolean;
	readonly hasPerl: boolean;
}

/** A program that listens on a port that a node is to have. */
export interface Listener {
	/** As /proc/net/tcp has it: hexadecimal address and port. */
	readonly local: string;
	readonly account: string;
	/** Its name and process; empty where that is not for this account to see. */
	readonly program: string;
}

const syncWrites = 20;

export function parseLook(text: string): HostLook {
	const lines = text.split("\n").map((line): readonly [string, string] => {
		const at = line.indexOf(" ");
		return [line.slice(0, at), line.slice(at + 1).trim()];
	});
	const all = (name: string) =>
		lines.flatMap(([key, value]) =>
			key === name && value !== "" ? [value] : [],
		);
	const one = (name: string) => all(name)[0] ?? null;
	const number = (name: string) => {
		const value = Number.parseFloat(one(name) ?? "");
		return Number.isFinite(value) ? value : null;
	};
	const memoryKib = number("memory");
	const syncSeconds = number("sync");
	return {
		...{ login: one("login") ?? "", isRoot: one("uid") === "0" },
		...{ kernel: one("kernel") ?? "", arch: one("arch") ?? "" },
		glibc: /^glibc (\S+)$/.exec(one("glibc") ?? "")?.[1] ?? null,
		...{ nodeJs: one("node"), systemdVersion: number("systemd") },
		availableMemoryBytes: memoryKib === null ? null : memoryKib * 1024,
		freeBytes: number("free"),
		syncMs: syncSeconds === null ? null : (syncSeconds * 1000) / syncWrites,
		listeners: all("listens").map((value) => {
			const [local = "", account = "", ...program] = value.split(" ");
			return { local, account, program: program.join(" ") };
		}),
		...{ denied: all("denied"), hasSudo: one("nosudo") === null },
		hasPerl: one("perl") === "yes",
	};
}
