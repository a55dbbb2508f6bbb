/** Lines around a change that show where it is. */
const contextLines = 3;

/** Beyond it lines are not compared one by one: what changed is shown as a whole. */
const comparedLines = 2_000;

/** The change from one text to another as `diff -u` shows it, a string a line; empty when there is none. */
export function unifiedDiff(
	name: string,
	from: string,
	to: string,
): readonly string[] {
	if (from === to) return [];
	const hunks = hunksOf(lineChanges(linesOf(from), linesOf(to)));
	return [`--- ${name}`, `+++ ${name}`, ...hunks.flat()];
}

interface LineChange {
	readonly sign: " " | "-" | "+";
	readonly text: string;
}

/** Without line ends; those of a terminal are its own. */
function linesOf(text: string): readonly string[] {
	const lines = text.split(/\r?\n/);
	return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function lineChanges(
	from: readonly string[],
	to: readonly string[],
): readonly LineChange[] {
	let head = 0;
	while (head < from.length && head < to.length && from[head] === to[head])
		head += 1;
	let tail = 0;
	const shorter = Math.min(from.length, to.length) - head;
	while (tail < shorter && from.at(-1 - tail) === to.at(-1 - tail)) tail += 1;
	const kept = (text: string): LineChange => ({ sign: " ", text });
	return [
		...from.slice(0, head).map(kept),
		...middleChanges(
			from.slice(head, from.length - tail),
			to.slice(head, to.length - tail),
		),
		...from.slice(from.length - tail).map(kept),
	];
}

/** By the longest common subsequence. */
function middleChanges(
	from: readonly string[],
	to: readonly string[],
): readonly LineChange[] {
	const lengths =
		from.length * to.length <= comparedLines ** 2 ? common(from, to) : [];
	const changes: LineChange[] = [];
	let [old, now] = [0, 0];
	const at = (row: number, column: number) => lengths[row]?.[column] ?? 0;
	while (old < from.length || now < to.length) {
		const [was, is] = [from[old], to[now]];
		if (was !== undefined && was === is) {
			changes.push({ sign: " ", text: was });
			old += 1;
			now += 1;
		} else if (
			was !== undefined &&
			(is === undefined || at(old + 1, now) >= at(old, now + 1))
		) {
			changes.push({ sign: "-", text: was });
			old += 1;
		} else {
			changes.push({ sign: "+", text: is ?? "" });
			now += 1;
		}
	}
	return changes;
}

/** How long the longest common subsequence of what begins at each pair of lines is. */
function common(
	from: readonly string[],
	to: readonly string[],
): readonly (readonly number[])[] {
	const rows: number[][] = Array.from({ length: from.length + 1 }, () => []);
	for (let row = from.length - 1; row >= 0; row -= 1)
		for (let column = to.length - 1; column >= 0; column -= 1) {
			const own = rows[row] ?? [];
			const below = rows[row + 1] ?? [];
			own[column] =
				from[row] === to[column]
					? (below[column + 1] ?? 0) + 1
					: Math.max(below[column] ?? 0, own[column + 1] ?? 0);
		}
	return rows;
}

function hunksOf(changes: readonly LineChange[]): readonly string[][] {
	const changed = changes.flatMap(({ sign }, at) => (sign === " " ? [] : [at]));
	const hunks: string[][] = [];
	let begun: number | undefined;
	for (const [position, at] of changed.entries()) {
		begun ??= Math.max(0, at - contextLines);
		const next = changed[position + 1];
		if (next !== undefined && next - at <= 2 * contextLines) continue;
		hunks.push(hunk(changes, begun, at + contextLines + 1));
		begun = undefined;
	}
	return hunks;
}

function hunk(
	changes: readonly LineChange[],
	begin: number,
	end: number,
): string[] {
	const shown = changes.slice(begin, end);
	const range = (sign: "-" | "+") => {
		const of = (part: readonly LineChange[]) =>
			part.filter((change) => change.sign === " " || change.sign === sign)
				.length;
		const count = of(shown);
		const before = of(changes.slice(0, begin));
		return `${sign}${count === 0 ? before : before + 1},${count}`;
	};
	return [
		`@@ ${range("-")} ${range("+")} @@`,
		...shown.map(({ sign, text }) => sign + text),
	];
}
