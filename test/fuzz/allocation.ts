/** Bytes of every buffer made while `run` runs, from Node's pool or not. */
export function allocated<T>(run: () => T): {
	readonly value: T;
	readonly bytes: number;
} {
	const { alloc, allocUnsafe, allocUnsafeSlow, concat } = Buffer;
	let bytes = 0;
	const counted =
		<Rest extends unknown[], Made>(
			make: (size: number, ...rest: Rest) => Made,
		) =>
		(size: number, ...rest: Rest): Made => {
			bytes += size;
			return make.call(Buffer, size, ...rest);
		};
	Buffer.alloc = counted(alloc);
	Buffer.allocUnsafe = counted(allocUnsafe);
	Buffer.allocUnsafeSlow = counted(allocUnsafeSlow);
	Buffer.concat = (list, total) => {
		const made = concat.call(Buffer, list, total);
		bytes += made.length;
		return made as Buffer<ArrayBuffer>;
	};
	try {
		const value = run();
		return { value, bytes };
	} finally {
		Object.assign(Buffer, { alloc, allocUnsafe, allocUnsafeSlow, concat });
	}
}
