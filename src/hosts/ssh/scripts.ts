/**
 * What is done on a host in one go: a round trip each. Plain sh and the tools of any Debian; every path is an argument,
 * never a part of the script.
 */

/** What the tools say of a fault is understood, whatever the language of the account. */
const inPlainWords = "export LC_ALL=C";

/** How much is free where a file is to lie, in bytes; the directory may not have come about. */
const free = `directory=$(dirname -- "$1")
while [ ! -d "$directory" ]; do directory=$(dirname -- "$directory"); done
df -P -B1 -- "$directory" | awk 'NR == 2 { print $4 }'`;

export function freeScript(path: string): readonly string[] {
	return script(free, path);
}

/** The content comes in; a shorter one, of a connection that broke, never becomes the file. */
const upload = `set -e
${inPlainWords}
path=$1 mode=$2 size=$3
directory=$(dirname -- "$path")
[ -d "$directory" ] || (umask 077 && mkdir -p -- "$directory")
partial=$(umask 077 && mktemp -- "$path.XXXXXXXX")
trap 'rm -f -- "$partial"' EXIT
cat > "$partial"
[ "$(stat -c %s -- "$partial")" = "$size" ] || { echo "it came only in part" >&2; exit 1; }
chmod -- "$mode" "$partial"
sync -- "$partial"
[ ! -d "$path" ] || { echo "$path is a directory" >&2; exit 1; }
mv -f -- "$partial" "$path"
sync -- "$directory"
trap - EXIT`;

export function uploadScript(
	path: string,
	mode: number,
	bytes: number,
): readonly string[] {
	return script(upload, path, octal(mode), String(bytes));
}

/**
 * A file that is not there is told from one that may not be seen: the nearest directory above it that is there must let us
 * look into it.
 */
const absent = `while [ ! -e "$path" ] && [ "$path" != / ]; do path=$(dirname -- "$path"); done
[ -d "$path" ] || { echo "$path is no directory" >&2; exit 1; }
[ -x "$path" ] || { echo "$path may not be looked into" >&2; exit 1; }
exit 66`;

const read = `path=$1
[ -e "$path" ] || [ -L "$path" ] && exec cat -- "$path"
${absent}`;

export function readScript(path: string): readonly string[] {
	return script(read, path);
}
readScript.absent = 66;

/**
 * Says what there is of a file to come: "there", or "partial" with its bytes. Its part so far has the content's own name, so
 * that a part of another content is never gone on with.
 */
const look = `${inPlainWords}
path=$1 mode=$2 size=$3 hash=$4
partial=$path.$hash.part
if [ -f "$path" ] && [ "$(stat -c %s -- "$path")" = "$size" ] && printf '%s  %s\\n' "$hash" "$path" | sha256sum --check --status; then
	[ "$(stat -c %a -- "$path")" = "$mode" ] || chmod -- "$mode" "$path" || exit 1
	rm -f -- "$partial"
	echo there
	exit 0
fi
directory=$(dirname -- "$path")
[ -d "$directory" ] || (umask 077 && mkdir -p -- "$directory") || exit 1
have=$(stat -c %s -- "$partial" 2>/dev/null || echo 0)
if [ "$have" -gt "$size" ]; then rm -f -- "$partial" || exit 1; have=0; fi
free=$(df -P -B1 -- "$directory" | awk 'NR == 2 { print $4 }')
echo "partial $have $free"`;

export function lookScript(file: FileToSend): readonly string[] {
	const { path, mode, bytes, hash } = file;
	return script(look, path, octal(mode), String(bytes), hash);
}

export interface FileToSend {
	readonly path: string;
	readonly mode: number;
	readonly bytes: number;
	/** SHA-256, hexadecimal. */
	readonly hash: string;
}

/**
 * Appends what comes in to the part that is there, and makes the file of it when it is whole and right. Held by one at a
 * time: what two append at once is nobody's content.
 */
const append = `${inPlainWords}
path=$1 mode=$2 size=$3 hash=$4 have=$5
partial=$path.$hash.part
umask 077
exec 9>> "$partial" || exit 1
flock -w 5 9 || exit 75
[ "$(stat -c %s -- "$partial")" = "$have" ] || exit 76
cat >&9 || exit 1
[ "$(stat -c %s -- "$partial")" = "$size" ] || exit 77
printf '%s  %s\\n' "$hash" "$partial" | sha256sum --check --status || { rm -f -- "$partial"; exit 78; }
[ ! -d "$path" ] || { echo "$path is a directory" >&2; exit 1; }
chmod -- "$mode" "$partial" && sync -- "$partial" && mv -f -- "$partial" "$path" && sync -- "$(dirname -- "$path")"`;

export function appendScript(
	{ path, mode, bytes, hash }: FileToSend,
	from: number,
): readonly string[] {
	const words = [path, octal(mode), String(bytes), hash, String(from)];
	return script(append, ...words);
}
appendScript.busy = 75;
/** Somebody else has gone on with it since it was looked at. */
appendScript.moved = 76;
appendScript.short = 77;
appendScript.wrong = 78;

/** How large a file is and what is in it, which is to be brought from here; 66 when it is not there. */
const weigh = `path=$1
if [ -e "$path" ]; then
	size=$(stat -L -c %s -- "$path") && hash=$(sha256sum < "$path") || exit 1
	echo "$size \${hash%% *}"
	exit 0
fi
${absent}`;

export function weighScript(path: string): readonly string[] {
	return script(weigh, path);
}
weighScript.absent = 66;

/** What of it is still to come. */
export function restScript(path: string, from: number): readonly string[] {
	return ["tail", "-c", `+${from + 1}`, "--", path];
}

function script(text: string, ...args: readonly string[]): readonly string[] {
	return ["sh", "-c", text, "sh", ...args];
}

function octal(mode: number): string {
	return (mode & 0o7777).toString(8);
}
