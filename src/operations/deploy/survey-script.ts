/**
 * What a host is and has, looked at in one round trip by the account that logs in; it changes nothing. A line for each
 * finding, its name first. Whether sudo would let the account do what may have to be done is asked of sudo itself.
 */
export const surveyScript = `
cluster=$1 user=$2 directory=$3 state=$4
shift 4
uid=$(id -u)
login=$(id -un)
say() { printf '%s %s\\n' "$1" "$2"; }
about() { stat -c '%U %G %a' -- "$1" 2>/dev/null; }
may() {
	right=$1
	shift
	[ "$uid" = 0 ] || sudo -n -l -- "$@" >/dev/null 2>&1 || say denied "$right"
}
free() {
	path=$1
	while [ ! -e "$path" ]; do path=$(dirname -- "$path"); done
	df -P -B1 -- "$path" | awk 'NR == 2 { print $4 }'
}
say uid "$uid"
say login "$login"
say kernel "$(uname -s)"
say arch "$(uname -m)"
say systemd "$(systemctl --version 2>/dev/null | awk 'NR == 1 { print $2 }')"
say node "$(node --version 2>/dev/null)"
say account "$(id -gn -- "$user" 2>/dev/null)"
say parent "$(about "$(dirname -- "$directory")")"
say directory "$(about "$directory")"
say state "$(about "$state")"
say freeForReleases "$(free "$directory")"
say freeForState "$(free "$state")"
for path in "$directory"/releases/*/release.json; do
	[ ! -e "$path" ] || say release "$(basename -- "$(dirname -- "$path")")"
done
awk '$4 == "0A" { print "listens", $2 }' /proc/net/tcp /proc/net/tcp6 2>/dev/null
[ "$uid" = 0 ] || command -v sudo >/dev/null 2>&1 || say denied sudo
may account groupadd --force --system raftd
may account useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --gid raftd "$user"
may parent install -d -m 0755 -o "$login" "$(dirname -- "$directory")"
may directory install -d -m 0755 -o "$login" "$directory"
may state install -d -m 0750 -o "$user" -g raftd "$state"
may reload systemctl daemon-reload
if [ "$uid" != 0 ] && id -u -- "$user" >/dev/null 2>&1; then
	sudo -n -u "$user" -- true >/dev/null 2>&1 || say denied daemon
fi
cd /etc/systemd/system || exit 1
for node do
	unit=raftd-$cluster-$node.service
	say node.unit "$node $(base64 -w 0 -- "$unit" 2>/dev/null)"
	systemctl show --property=ActiveState,UnitFileState,NeedDaemonReload,MainPID -- "$unit" |
		while IFS='=' read -r key value; do say "node.$key" "$node $value"; done
	say node.current "$node $(basename -- "$(readlink -- "$directory/$node/current")" 2>/dev/null)"
	for other in $(grep -lF -- "$directory/$node/current/" raftd-*.service 2>/dev/null) \\
		$(grep -lF -- "$state/$node/node.yaml" raftd-*.service 2>/dev/null); do
		[ "$other" = "$unit" ] || say node.other "$node $other"
	done
	may "unit $node" install -m 0644 /dev/stdin "/etc/systemd/system/$unit"
	for verb in enable start stop; do may "$verb $node" systemctl "$verb" "$unit"; done
done
for unit in raftd-"$cluster"-*.service; do
	[ ! -e "$unit" ] || say unit "$unit"
done
exit 0
`;

/** As `stat -c '%U %G %a'` has it. */
export interface Owned {
	readonly user: string;
	readonly group: string;
	/** Octal. */
	readonly mode: string;
}

/** What the script found on a host. */
export interface HostSurvey {
	readonly login: string;
	readonly isRoot: boolean;
	readonly kernel: string;
	/** As `uname -m` has it. */
	readonly arch: string;
	/** Null where there is none. */
	readonly systemdVersion: number | null;
	/** "v20.19.2"; null where there is none. */
	readonly nodeJs: string | null;
	/** The group of the daemon's account; null where there is no such account. */
	readonly accountGroup: string | null;
	/** Above `directory`. */
	readonly parent: Owned | null;
	readonly directory: Owned | null;
	readonly state: Owned | null;
	readonly freeForReleasesBytes: number;
	readonly freeForStateBytes: number;
	readonly releases: readonly string[];
	/** What listens on TCP, as /proc/net/tcp and tcp6 have it. */
	readonly listens: readonly string[];
	/** What sudo would not let the account do. */
	readonly denied: readonly string[];
	readonly nodes: ReadonlyMap<string, NodeSurvey>;
	/** Units of the cluster, of nodes that the file does not have any more, too. */
	readonly units: readonly string[];
}

export interface NodeSurvey {
	/** Null where there is none. */
	readonly unit: string | null;
	readonly runs: boolean;
	readonly startsAtBoot: boolean;
	readonly needsReload: boolean;
	/** The release that it starts with next. */
	readonly current: string | null;
	/** Units of others that run the same programs or have the same files. */
	readonly others: readonly string[];
}

/** The lines of the script's output, in terms of what they mean. */
export function parseSurvey(
	text: string,
	nodes: readonly string[],
): HostSurvey {
	const lines = text.split("\n").map((line): readonly [string, string] => {
		const at = line.indexOf(" ");
		return [line.slice(0, at), line.slice(at + 1).trim()];
	});
	const all = (name: string) =>
		lines.flatMap(([key, value]) =>
			key === name && value !== "" ? [value] : [],
		);
	const one = (name: string) => all(name)[0] ?? null;
	const systemd = one("systemd");
	return {
		login: one("login") ?? "",
		isRoot: one("uid") === "0",
		...{ kernel: one("kernel") ?? "", arch: one("arch") ?? "" },
		systemdVersion: systemd === null ? null : Number.parseInt(systemd, 10),
		...{ nodeJs: one("node"), accountGroup: one("account") },
		parent: ownedOf(one("parent")),
		directory: ownedOf(one("directory")),
		state: ownedOf(one("state")),
		freeForReleasesBytes: Number(one("freeForReleases") ?? 0),
		freeForStateBytes: Number(one("freeForState") ?? 0),
		...{ releases: all("release"), listens: all("listens") },
		...{ denied: [...new Set(all("denied"))], units: all("unit") },
		nodes: new Map(nodes.map((node) => [node, nodeOf(node, all)])),
	};
}

function nodeOf(
	node: string,
	all: (name: string) => readonly string[],
): NodeSurvey {
	const of = (name: string) =>
		all(`node.${name}`).flatMap((value) =>
			value.startsWith(`${node} `) ? [value.slice(node.length + 1)] : [],
		);
	const unit = of("unit")[0] ?? null;
	return {
		unit: unit === null ? null : Buffer.from(unit, "base64").toString("utf8"),
		runs: Number(of("MainPID")[0] ?? 0) > 0,
		startsAtBoot: of("UnitFileState")[0] === "enabled",
		needsReload: of("NeedDaemonReload")[0] === "yes",
		current: of("current")[0] ?? null,
		others: [...new Set(of("other"))],
	};
}

function ownedOf(text: string | null): Owned | null {
	if (text === null) return null;
	const [user = "", group = "", mode = ""] = text.split(" ");
	return { user, group, mode };
}
