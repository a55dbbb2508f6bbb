/**
 * The few messages of etcd's v3 API (etcdserverpb.KV) that a load needs, in protobuf. Each field is a tag, a length and
 * bytes; numbers are varints.
 */

/** PutRequest {key = 1, value = 2} */
export function putRequest(key: Uint8Array, value: Uint8Array): Buffer {
	return message([
		[1, key],
		[2, value],
	]);
}

/** RangeRequest {key = 1}: linearizable unless it says otherwise. */
export function rangeRequest(key: Uint8Array): Buffer {
	return message([[1, key]]);
}

/** DeleteRangeRequest {key = 1, range_end = 2} of all keys that begin with `prefix`, which ends below 0xff. */
export function deleteBelowRequest(prefix: Uint8Array): Buffer {
	const end = Buffer.from(prefix);
	end[end.length - 1] = (end.at(-1) as number) + 1;
	return message([
		[1, prefix],
		[2, end],
	]);
}

/** DeleteRangeResponse {deleted = 2}; 0 where it is left out, as protobuf does. */
export function deletedIn(response: Uint8Array): number {
	let at = 0;
	while (at < response.length) {
		const tag = varintAt(response, at);
		const field = varintAt(response, tag.end);
		if (tag.value === (2 << 3) + varintType) return field.value;
		// Only the header, field 1, comes before it; it has a length.
		at = (tag.value & 7) === lengthType ? field.end + field.value : field.end;
	}
	return 0;
}

/** A gRPC message on its stream: not compressed, its length, itself. */
export function grpcFrame(body: Uint8Array): Buffer {
	const frame = Buffer.allocUnsafe(grpcHeaderBytes + body.length);
	frame[0] = 0;
	frame.writeUInt32BE(body.length, 1);
	frame.set(body, grpcHeaderBytes);
	return frame;
}

export const grpcHeaderBytes = 5;
const varintType = 0;
const lengthType = 2;

function message(fields: readonly (readonly [number, Uint8Array])[]): Buffer {
	const parts = fields.flatMap(([number, bytes]) => [
		Buffer.from([(number << 3) + lengthType, ...varint(bytes.length)]),
		bytes,
	]);
	return Buffer.concat(parts);
}

function varint(value: number): number[] {
	const bytes: number[] = [];
	let rest = value;
	for (; rest > 127; rest = Math.floor(rest / 128))
		bytes.push((rest % 128) + 128);
	return [...bytes, rest];
}

function varintAt(bytes: Uint8Array, from: number) {
	let value = 0;
	let factor = 1;
	for (let at = from; at < bytes.length; at++) {
		const byte = bytes[at] as number;
		value += (byte & 127) * factor;
		factor *= 128;
		if (byte < 128) return { value, end: at + 1 };
	}
	return { value, end: bytes.length };
}
