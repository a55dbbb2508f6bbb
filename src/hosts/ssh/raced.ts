/** The promise, or the signal's reason as soon as that is aborted; what comes of the promise then is nobody's matter. */
export function raced<Value>(
	promise: Promise<Value>,
	signal: AbortSignal,
): Promise<Value> {
	if (signal.aborted) {
		promise.catch(() => {});
		return Promise.reject(signal.reason);
	}
	return new Promise((resolve, reject) => {
		const give = () => reject(signal.reason);
		signal.addEventListener("abort", give, { once: true });
		promise
			.then(resolve, reject)
			.finally(() => signal.removeEventListener("abort", give));
	});
}
