/** What differs between the worlds: all that a machine may not depend on and that can be made to differ here. */
interface World {
	readonly nowMs: number;
	readonly seed: number;
	readonly locale: string;
	/** Of the local time, ahead of UTC. */
	readonly zoneMs: number;
	/** Another version of the runtime words its errors otherwise. */
	readonly errors: string;
}

const hourMs = 3_600_000;
const worlds: readonly World[] = [
	{
		...{ nowMs: 1_700_000_000_000, seed: 1, locale: "en-US", zoneMs: 0 },
		errors: "",
	},
	{
		...{ nowMs: 1_900_000_012_345, seed: 7, locale: "sv-SE" },
		...{ zoneMs: 13 * hourMs, errors: "otherwise: " },
	},
	{
		...{ nowMs: 1_500_000_054_321, seed: 5, locale: "tr-TR" },
		...{ zoneMs: -9 * hourMs, errors: "in other words: " },
	},
];

/**
 * Runs `work`, which must not be asynchronous, where clock, randomness, time zone, locale and the words of errors are
 * those of world `number`. Afterwards all is as it was, also when `work` throws.
 */
export function inWorld<Result>(number: number, work: () => Result): Result {
	const world = worlds[number % worlds.length] as World;
	const undo: (() => void)[] = [];
	const replace = (target: object, key: string, value: unknown) => {
		const before = Object.getOwnPropertyDescriptor(target, key);
		Object.defineProperty(target, key, {
			...{ value, configurable: true, writable: true },
			enumerable: before?.enumerable ?? false,
		});
		undo.push(() => {
			if (before === undefined) Reflect.deleteProperty(target, key);
			else Object.defineProperty(target, key, before);
		});
	};
	try {
		replaceTime(world, replace);
		replaceRandomness(world, replace);
		replaceLocale(world, replace);
		replaceErrors(world, replace);
		return work();
	} finally {
		for (const each of undo.reverse()) each();
	}
}

type Replace = (target: object, key: string, value: unknown) => void;

const fields = ["FullYear", "Month", "Date", "Day", "Hours", "Minutes"];
const texts = ["toString", "toDateString", "toTimeString"];

function replaceTime({ nowMs, zoneMs }: World, replace: Replace): void {
	const RealDate = Date;
	let passedMs = 0;
	const now = () => nowMs + passedMs++;
	const local = (date: Date) => new RealDate(date.getTime() + zoneMs);
	replace(
		globalThis,
		"Date",
		new Proxy(RealDate, {
			apply: () => new RealDate(now()).toString(),
			construct: (target, args, made) =>
				Reflect.construct(target, args.length === 0 ? [now()] : args, made),
			get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
		}),
	);
	replace(performance, "now", () => passedMs++ + (nowMs % 1000));
	const prototype = RealDate.prototype as unknown as Record<
		string,
		(this: Date) => unknown
	>;
	for (const field of fields) {
		const utc = prototype[`getUTC${field}`];
		replace(prototype, `get${field}`, function (this: Date) {
			return utc?.call(local(this));
		});
	}
	replace(prototype, "getTimezoneOffset", () => -zoneMs / 60_000);
	for (const text of texts)
		replace(prototype, text, function (this: Date) {
			return `${local(this).toISOString()} ${zoneMs}`;
		});
}

function replaceRandomness({ seed }: World, replace: Replace): void {
	let state = seed;
	replace(Math, "random", () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return state / 2 ** 32;
	});
}

/** Where a method takes the locale, and nobody gives one. */
const localised: readonly (readonly [object, string, number])[] = [
	[String.prototype, "localeCompare", 1],
	[String.prototype, "toLocaleUpperCase", 0],
	[String.prototype, "toLocaleLowerCase", 0],
	[Number.prototype, "toLocaleString", 0],
	[BigInt.prototype, "toLocaleString", 0],
	[Date.prototype, "toLocaleString", 0],
	[Date.prototype, "toLocaleDateString", 0],
	[Date.prototype, "toLocaleTimeString", 0],
];
const formats = [
	"Collator",
	"NumberFormat",
	"DateTimeFormat",
	"ListFormat",
	"PluralRules",
] as const;

function replaceLocale({ locale }: World, replace: Replace): void {
	for (const [target, key, place] of localised) {
		const real = Reflect.get(target, key) as (...args: unknown[]) => unknown;
		replace(target, key, function (this: unknown, ...args: unknown[]) {
			args[place] ??= locale;
			return real.apply(this, args);
		});
	}
	for (const name of formats) {
		const withLocale = ([locales, ...others]: unknown[]) => [
			locales ?? locale,
			...others,
		];
		replace(
			Intl,
			name,
			new Proxy(Intl[name], {
				apply: (target, self, args) =>
					Reflect.apply(target as never, self, withLocale(args)),
				construct: (target, args, made) =>
					Reflect.construct(target, withLocale(args), made),
			}),
		);
	}
}

function replaceErrors({ errors }: World, replace: Replace): void {
	const { parse } = JSON;
	replace(JSON, "parse", (...args: Parameters<typeof parse>) => {
		try {
			return parse(...args);
		} catch (error) {
			if (error instanceof SyntaxError)
				error.message = `${errors}${error.message}`;
			throw error;
		}
	});
	replace(Error, "prepareStackTrace", (error: Error) => `${errors}${error}`);
}
