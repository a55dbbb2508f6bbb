import { Code, ConnectError } from "@connectrpc/connect";

/** Throws INVALID_ARGUMENT unless `value` is within [min, max]; `field` as in the .proto. */
export function requireRange(
	field: string,
	value: number,
	[min, max]: readonly [number, number],
): number {
	if (value >= min && value <= max) return value;
	throw new ConnectError(
		`${field} must be ${min} to ${max}, not ${value}`,
		Code.InvalidArgument,
	);
}

/** Throws INVALID_ARGUMENT unless `value` has 1 to 256 characters. */
export function requireText(field: string, value: string): string {
	if (value !== "") return requireShort(field, value);
	throw new ConnectError(`${field} must not be empty`, Code.InvalidArgument);
}

/** Throws INVALID_ARGUMENT when `value` has more than 256 characters. */
export function requireShort(field: string, value: string): string {
	if (value.length <= textMax) return value;
	throw new ConnectError(
		`${field} must have at most ${textMax} characters`,
		Code.InvalidArgument,
	);
}

/** A token that is no safe integer was never handed out. */
export function requireToken(token: bigint): number {
	if (token <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(token);
	throw new ConnectError(
		`fencing_token ${token} was never handed out`,
		Code.InvalidArgument,
	);
}

const textMax = 256;
