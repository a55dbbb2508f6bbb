import type { Ack, Consistency } from "../../wire/client-frames.js";
import { acks, consistencies } from "../../wire/client-frames.js";
import type { ApiLimits } from "./context.js";
import { RequestError } from "./failures.js";

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
		most: 2 ** 48 - 1,
	});
}

/** 0: from now on. */
export function fromOf(value: unknown): number {
	return wholeNumber(value ?? 0, { name: "from", least: 0, most: 2 ** 48 - 1 });
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
