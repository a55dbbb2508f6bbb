import { once } from "node:events";
import { connect, createServer } from "node:net";
import { OperatorError } from "../../src/errors.js";
import { until } from "./until.js";

/**
 * Who changes a lab now. A socket without a file: the kernel takes it back with the process, however that ends, and
 * whoever is refused can ask by whom.
 */
export async function lockLab(
	name: string,
	{ as, waitMs }: { readonly as: string; readonly waitMs: number },
): Promise<{ release(): Promise<void> }> {
	const path = `\0raftctl-lab.${name}`;
	const server = createServer((socket) => {
		socket.on("error", () => {});
		socket.end(as);
	});
	server.unref();
	const isMine = async () => {
		server.listen(path);
		try {
			await once(server, "listening");
			return true;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
			return false;
		}
	};
	await until(isMine, waitMs, { what: "the lab" }).catch(async (error) => {
		if (!(error instanceof OperatorError)) throw error;
		throw new OperatorError(
			"locked",
			`the lab is in use: ${await holderOf(path)}`,
			{ state: "Nothing was changed." },
		);
	});
	return {
		release: async () => {
			server.close();
			await once(server, "close");
		},
	};
}

const answerLimitMs = 1_000;

function holderOf(path: string): Promise<string> {
	return new Promise((resolve) => {
		let words = "";
		const socket = connect({ path });
		socket.setTimeout(answerLimitMs, () => socket.destroy());
		socket.on("data", (data) => {
			words += data;
		});
		socket.on("error", () => {});
		socket.on("close", () => resolve(words === "" ? "by somebody" : words));
	});
}
