import { Duplex, PassThrough } from "node:stream";
import type { ClientChannel } from "ssh2";
import { expect, it } from "vitest";
import { execute } from "../../../src/hosts/ssh/command.js";
import { notBegun } from "../../../src/hosts/ssh/command-failures.js";
import type { Connection } from "../../../src/hosts/ssh/connection.js";
import type { Destination } from "../../../src/hosts/ssh/destination.js";
import type { Link } from "../../../src/hosts/ssh/link.js";

/** A channel as ssh2 has it when one packet brought all that a short program said, how it ended included. */
function overAtOnce(line: string, code: number): ClientChannel {
	const channel = new Duplex({
		read: () => undefined,
		write: (_chunk, _encoding, done) => done(),
	});
	const marker = /raftctl-[0-9a-f]+/.exec(line)?.[0];
	channel.push(`\n${marker} 4711 (sh) S 1 2 3\nhello\n`);
	channel.emit("exit", code);
	channel.push(null);
	channel.once("end", () => channel.emit("close", code));
	const stderr = new PassThrough();
	stderr.end();
	return Object.assign(channel, { stderr }) as unknown as ClientChannel;
}

it("hears how a program ended whose end came with its beginning", async () => {
	const connection = {
		destination: { name: "h1" },
		lost: new AbortController().signal,
		session: async (line: string) => ({
			channel: overAtOnce(line, 3),
			release: () => undefined,
		}),
	};
	const link = {
		name: "h1",
		connection: async () => connection as unknown as Connection,
	};
	const output = await execute(link as unknown as Link, {
		...{ argv: ["true"], prefix: [], timeoutMs: 5_000 },
		outputLimitBytes: 1_000,
	});
	expect(output).toMatchObject({ exitCode: 3 });
	expect(output.stdout.toString()).toBe("hello\n");
});

it.each([
	"sudo: unknown user raftd-orders",
	"runuser: user raftd-orders does not exist or the user entry does not contain all the required fields",
])("sends whoever comes before the deploy to it: %s", (said) => {
	const destination = { name: "h1", user: "deploy" } as Destination;
	const missing = notBegun(destination, [said]);
	expect(missing.next).toBe("set the host up: raftctl deploy");
	const refused = notBegun(destination, ["sudo: a password is required"]);
	expect(refused.next).toContain("sudo -l");
});
