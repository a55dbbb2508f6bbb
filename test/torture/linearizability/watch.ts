/** An event as a subscriber was told of it. */
export interface Told {
	readonly index: number;
	/** Of the command that it tells of. */
	readonly id: string;
	/** What it says, in full. */
	readonly text: string;
}

/** What one subscriber was told without an interruption that it was warned of. */
export interface Watch {
	readonly subscriber: string;
	/** The first index that it was to be told of, and the last that it was told to have been told of. */
	readonly from: number;
	readonly to: number;
	/** In the order in which they came. */
	readonly events: readonly Told[];
}

/** What the clients know of the commands that make events. */
export interface Known {
	/** Executed and changed something, at this index. */
	readonly acknowledged: ReadonlyMap<string, number>;
	/** Certainly not executed, or executed without changing anything. */
	readonly silent: ReadonlySet<string>;
	/** All that were ever sent. */
	readonly sent: ReadonlySet<string>;
}

/** What is wrong with what subscribers were told, in sentences; at most `most` of them. */
export function judgeWatches(
	watches: readonly Watch[],
	known: Known,
	most = 20,
): string[] {
	const all = new Map<number, Told>();
	return [
		...watches.flatMap(orderFaults),
		...watches.flatMap((watch) => agreementFaults(watch, all)),
		...[...all.values()].flatMap((event) => truthFaults(event, known)),
		...repeatedFaults(all),
		...watches.flatMap((watch) => gapFaults(watch, all, known)),
	].slice(0, most);
}

function orderFaults({ subscriber, from, to, events }: Watch): string[] {
	return events.flatMap(({ index }, at) => {
		const before = events[at - 1]?.index ?? from - 1;
		if (index <= before)
			return `${subscriber} was told of index ${index} after ${before}`;
		return index > to
			? `${subscriber} was told of index ${index}, but only that it knows all up to ${to}`
			: [];
	});
}

/** Adds what it was told to `all`. */
function agreementFaults(
	{ subscriber, events }: Watch,
	all: Map<number, Told>,
): string[] {
	return events.flatMap((event) => {
		const other = all.get(event.index);
		if (other === undefined) all.set(event.index, event);
		return other === undefined || other.text === event.text
			? []
			: `${subscriber} was told ${event.text} of index ${event.index}, another ${other.text}`;
	});
}

function truthFaults({ index, id, text }: Told, known: Known): string[] {
	const acknowledged = known.acknowledged.get(id);
	if (!known.sent.has(id))
		return [`index ${index} tells ${text}, which nobody sent`];
	if (known.silent.has(id))
		return [`index ${index} tells ${text}, which certainly changed nothing`];
	return acknowledged === undefined || acknowledged === index
		? []
		: [`index ${index} tells ${text}, acknowledged at index ${acknowledged}`];
}

function repeatedFaults(all: ReadonlyMap<number, Told>): string[] {
	const first = new Map<string, number>();
	return [...all.values()].flatMap(({ id, index, text }) => {
		const other = first.get(id);
		first.set(id, index);
		return other === undefined
			? []
			: `indexes ${other} and ${index} both tell ${text}: it was executed twice`;
	});
}

function gapFaults(
	{ subscriber, from, to, events }: Watch,
	all: ReadonlyMap<number, Told>,
	{ acknowledged }: Known,
): string[] {
	const told = new Set(events.map(({ index }) => index));
	const within = (index: number) =>
		index >= from && index <= to && !told.has(index);
	const missing = new Set(
		[...acknowledged.values(), ...all.keys()].filter(within),
	);
	return [...missing]
		.sort((a, b) => a - b)
		.map((index) => `${subscriber} was never told of index ${index}`);
}
