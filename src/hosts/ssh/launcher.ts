import { commandLine } from "./quote.js";

/** Beyond a command's own limit the host ends it by itself, should nobody be there any more to do so. */
const graceSeconds = 10;

/**
 * Run by the host's shell: says, behind a word that nothing else prints, which process group the command is, so that it can
 * be ended; then becomes `timeout`, which makes that group and bounds it. It starts in /, as an account other than the one
 * that logged in may not look into the directory that this one begins in.
 */
const launcher = `cd / || exit 1
read -r stat < "/proc/$$/stat" || exit 1
printf '\\n%s %s\\n' "$1" "$stat"
limit=$2
shift 2
exec timeout -k 2 "$limit" "$@"`;

/**
 * Ends a process group, first asked, after a second not any more. Its leader must have begun when ours did: the number may
 * have gone to another process since. The twenty-second field counts from behind the name, which may hold anything.
 */
const ender = `group=$1
began=$2
if [ -e "/proc/$group/stat" ]; then
	read -r stat < "/proc/$group/stat" || exit 0
	set -- \${stat##*) }
	[ "\${20}" = "$began" ] || exit 0
fi
kill -TERM "-$group" 2>/dev/null || kill -TERM "$group" 2>/dev/null
for tenth in 1 2 3 4 5 6 7 8 9 10; do
	kill -0 "-$group" 2>/dev/null || exit 0
	sleep 0.1
done
kill -KILL "-$group" 2>/dev/null
exit 0`;

interface Launch {
	readonly argv: readonly string[];
	/** What stands before everything, as ["sudo", "-n", "-u", "raftd-orders", "--"]. */
	readonly prefix: readonly string[];
	/** A word that nothing else prints. */
	readonly marker: string;
	readonly timeoutMs: number;
}

/** The line that the host's shell is given to run these arguments, bounded, in a process group of their own. */
export function launchLine(launch: Launch): string {
	const { argv, prefix, marker, timeoutMs } = launch;
	const seconds = String(Math.ceil(timeoutMs / 1000) + graceSeconds);
	const words = ["sh", "-c", launcher, "sh", marker, seconds, ...argv];
	return `exec ${commandLine([...prefix, ...words])}`;
}

/** The line that ends what a launch line began. */
export function endLine(
	{ group, began }: ProcessGroup,
	prefix: readonly string[],
): string {
	return `exec ${commandLine([...prefix, "sh", "-c", ender, "sh", group, began])}`;
}

export interface ProcessGroup {
	readonly group: string;
	/** In the ticks of /proc/<pid>/stat. */
	readonly began: string;
}

/** A login that prints more than this before the command begins is none to work with. */
const noiseBytes = 64 * 1024;

/** Takes what a shell's own start-up files print, and the line that the launcher prints, off the front of the output. */
export class LaunchReader {
	readonly #marker: Buffer;
	#held: Buffer | null = Buffer.alloc(0);
	#process: ProcessGroup | null = null;

	constructor(marker: string) {
		this.#marker = Buffer.from(`\n${marker} `);
	}

	/** Null until the command has begun. */
	get process(): ProcessGroup | null {
		return this.#process;
	}

	/** The part of it that the command itself wrote. Throws RangeError for a login that never ends to speak. */
	push(chunk: Buffer): Buffer {
		if (this.#held === null) return chunk;
		this.#held = Buffer.concat([this.#held, chunk]);
		const from = this.#held.indexOf(this.#marker);
		const start = from + this.#marker.length;
		const to = from < 0 ? -1 : this.#held.indexOf(0x0a, start);
		if (to < 0) {
			if (this.#held.length > noiseBytes)
				throw new RangeError("the login prints too much");
			return Buffer.alloc(0);
		}
		this.#process = processOf(this.#held.toString("latin1", start, to));
		const rest = this.#held.subarray(to + 1);
		this.#held = null;
		return rest;
	}

	/** What came instead of a command, for a message. */
	get noise(): string {
		return this.#held?.toString("utf8").trim() ?? "";
	}
}

/** proc(5): the program's name, second, is in parentheses and may itself hold spaces and parentheses. */
function processOf(stat: string): ProcessGroup {
	const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return { group: stat.split(" ")[0] ?? "", began: fields[22 - 3] ?? "" };
}
