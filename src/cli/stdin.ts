import { OperatorError } from "../errors.js";

/** Far above any cluster file; what is longer is a mistake in the pipe. */
const stdinLimitBytes = 1024 * 1024;

/** The whole of stdin as text. Throws OperatorError when it is a terminal, or longer than 1 MiB. */
export async function readStdin(
	stream: NodeJS.ReadStream = process.stdin,
): Promise<string> {
	if (stream.isTTY) {
		throw new OperatorError("usage", "--config - reads stdin, a terminal", {
			state: "nothing was touched",
			next: "pipe the cluster file in: raftctl … --config - < cluster.yaml",
		});
	}
	const chunks: Buffer[] = [];
	let bytes = 0;
	for await (const chunk of stream) {
		const part = Buffer.from(chunk as Uint8Array);
		bytes += part.byteLength;
		if (bytes > stdinLimitBytes)
			throw new OperatorError("config", "stdin is longer than 1 MiB", {
				state: "nothing was touched",
				next: "pipe the cluster file in: raftctl … --config - < cluster.yaml",
			});
		chunks.push(part);
	}
	return Buffer.concat(chunks).toString("utf8");
}
