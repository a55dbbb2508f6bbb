import type {
	Ack,
	Consistency,
	SessionPlace,
} from "../../wire/client-frames.js";
import { acks, consistencies } from "../../wire/client-frames.js";
import type { ApiLimits } from "./context.js";
import { RequestError } from "./failures.js";

const max48 = 2 ** 48 - 1;

/** Each reads one option, from a URL's text or from JSON; undefined is its default. Each throws RequestError. */
export function ackOf(value: unknown): Ack {
	return oneOf(acks, value ?? "apply", "ack");
}

export function consistencyOf(value: unknown): Consistency {
	return oneOf(consistencies, value ?? "linearizable", "consistency");
}

export function minIndexOf(value: unknown): number {
	return wholeNumber(value ?? 0, {
		name: "min-index",
		least: 0,
		most: max48,
	});
}

/** Undefined without a session; `id` and `sequence` come together. */
export function sessionOf({
	id,
	sequence,
	acknowledged,
}: {
	readonly id: unknown;
	readonly sequence: unknown;
	readonly acknowledged: unknown;
}): SessionPlace | undefined {
	if (id === undefined && sequence === undefined && acknowledged === undefined)
		return undefined;
	const place = {
		id: wholeNumber(id, { name: "session", least: 1, most: max48 }),
		sequence: wholeNumber(sequence, {
			name: "sequence",
			least: 1,
			most: max48,
		}),
		acknowledged: wholeNumber(acknowledged ?? 0, {
			name: "acknowledged",
			least: 0,
			most: max48,
		}),
	};
	if (place.acknowledged < place.sequence) return place;
	throw new RequestError(
		"invalid",
		`acknowledged is ${place.acknowledged}, and must be below sequence, ${place.sequence}`,
	);
}

/** Undefined: the cluster's write level. */
export function levelOf(value: unknown): number | undefined {
	if (value === undefined) return undefined;
	return wholeNumber(value, { name: "level", least: 1, most: 255 });
}

/** 0: from now on. */
export function fromOf(value: unknown): number {
	return wholeNumber(value ?? 0, { name: "from", least: 0, most: max48 });
}

export function timeoutMsOf(value: unknown, limits: ApiLimits): number {
	return wholeNumber(value ?? limits.defaultTimeoutMs, {
		name: "timeout-ms",
		least: 1,
		most: limits.maxTimeoutMs,
	});
}

function oneOf<Name extends string>(
	names: readonly Name[],
	value: unknown,
	what: string,
): Name {
	const name = names.find((each) => each === value);
	if (name !== undefined) return name;
	throw new RequestError(
		"invalid",
		`${what} is one of ${names.join(", ")}, not ${shown(value)}`,
	);
}

function wholeNumber(
	value: unknown,
	{ name, least, most }: { name: string; least: number; most: number },
): number {
	const digits = typeof value === "string" && /^\d{1,16}$/.test(value);
	const number = digits ? Number(value) : value;
	if (
		typeof number === "number" &&
		Number.isInteger(number) &&
		number >= least &&
		number <= most
	)
		return number;
	throw new RequestError(
		"invalid",
		`${name} is a whole number from ${least} to ${most}, not ${shown(value)}`,
	);
}

function shown(value: unknown): string {
	return `${JSON.stringify(value)}`.slice(0, 40);
}
