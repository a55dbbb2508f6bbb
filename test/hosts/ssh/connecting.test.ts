import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { OperatorError } from "../../../src/errors.js";
import type { SshHosts } from "../../../src/hosts/ssh/ssh-hosts.js";
import { Desk, freePort, makeKey, type Sshd } from "./sshd.js";

const timeoutMs = 60_000;

async function whoami(hosts: SshHosts, name = "h1"): Promise<string> {
	const host = await hosts.host(name, null);
	const { stdout } = await host.run(["echo", name], { timeoutMs });
	return stdout.trim();
}

async function failureOf(promise: Promise<unknown>): Promise<OperatorError> {
	return promise.then(
		() => {
			throw new Error("it succeeded");
		},
		(error: OperatorError) => error,
	);
}

describe("a host's key", () => {
	const desk = new Desk();
	let sshd: Sshd;
	beforeAll(async () => {
		sshd = await desk.sshd({ hostKeys: ["ed25519", "rsa", "ecdsa"] });
	});
	afterAll(() => desk.close());
	const forget = () => rmSync(desk.knownHosts, { force: true });
	const accepting = { hostKeys: "accept-new" } as const;

	it("must be known: a stranger is refused, with its fingerprint and what to do", async () => {
		forget();
		const failure = await failureOf(whoami(desk.hosts({ h1: sshd.port })));
		expect(failure).toMatchObject({
			...{ kind: "unreachable", node: "h1", exitCode: 20 },
			message: `h1 (127.0.0.1:${sshd.port}) is not known: ${desk.knownHosts} has no key for [127.0.0.1]:${sshd.port}`,
			next: expect.stringContaining(
				`ssh-keyscan -p ${sshd.port} 127.0.0.1 >> ${desk.knownHosts}`,
			),
		});
		const shown = execFileSync("ssh-keygen", [
			...["-lf", `${sshd.hostKey("ed25519")}.pub`],
		]).toString();
		expect(failure.state).toContain(shown.split(" ")[1]);
		expect(sshd.log).not.toContain("Accepted");
	});

	it("is believed once with accept-new, written down, and from then on known", async () => {
		forget();
		expect(await whoami(desk.hosts({ h1: sshd.port }, accepting))).toBe("h1");
		expect(readFileSync(desk.knownHosts, "utf8")).toBe(sshd.known());
		expect(await whoami(desk.hosts({ h1: sshd.port }))).toBe("h1");
	});

	it("that has changed is refused with every setting, naming the line and how to mend it", async () => {
		forget();
		makeKey(join(desk.directory, "other"), {});
		const [type, key] = readFileSync(
			join(desk.directory, "other.pub"),
			"utf8",
		).split(" ");
		desk.know("# mine\n", `[127.0.0.1]:${sshd.port} ${type} ${key}\n`);
		for (const settings of [{}, accepting]) {
			const hosts = desk.hosts({ h1: sshd.port }, settings);
			const failure = await failureOf(whoami(hosts));
			expect(failure.kind).toBe("unreachable");
			expect(failure.message).toContain("has another key than the known one");
			expect(failure.problems[1]).toContain(`${desk.knownHosts}:2 has`);
			expect(failure.next).toContain(
				`ssh-keygen -R '[127.0.0.1]:${sshd.port}' -f ${desk.knownHosts}`,
			);
		}
		// What the error says to type mends it.
		execFileSync("ssh-keygen", [
			...["-R", `[127.0.0.1]:${sshd.port}`, "-f", desk.knownHosts],
		]);
		desk.know(sshd.known());
		expect(await whoami(desk.hosts({ h1: sshd.port }))).toBe("h1");
	});

	it("is found by its hash, and in any type that the host has", async () => {
		for (const type of ["rsa", "ecdsa", "ed25519"] as const) {
			forget();
			desk.know(sshd.known(type));
			execFileSync("ssh-keygen", ["-H", "-f", desk.knownHosts], {
				stdio: "ignore",
			});
			expect(readFileSync(desk.knownHosts, "utf8")).toMatch(/^\|1\|/);
			expect(await whoami(desk.hosts({ h1: sshd.port }))).toBe("h1");
		}
	});

	it("that is revoked is refused although it is known", async () => {
		forget();
		desk.know(sshd.known(), sshd.known("ed25519", "@revoked *"));
		for (const settings of [{}, accepting])
			await expect(
				whoami(desk.hosts({ h1: sshd.port }, settings)),
			).rejects.toThrow(`shows a key that ${desk.knownHosts}:2 revokes`);
	});

	it("counts for the bare name at another port, as with OpenSSH", async () => {
		forget();
		desk.know(sshd.known("ed25519", "127.0.0.1"));
		expect(await whoami(desk.hosts({ h1: sshd.port }))).toBe("h1");
	});

	it("is not looked for in a file that cannot be read", async () => {
		rmSync(desk.knownHosts, { force: true });
		const knownHosts = [desk.directory];
		await expect(
			whoami(desk.hosts({ h1: sshd.port }, { knownHosts, ...accepting })),
		).rejects.toThrow(`${desk.directory} cannot be read`);
	});
});

describe("who logs in", () => {
	const desk = new Desk();
	let sshd: Sshd;
	const file = (name: string) => join(desk.directory, name);
	const publicKeys = (...names: readonly string[]) =>
		names.map((name) => readFileSync(`${name}.pub`, "utf8")).join("");

	beforeAll(async () => {
		sshd = await desk.sshd();
		desk.know(sshd.known());
		makeKey(file("locked"), { passphrase: "open sesame" });
		makeKey(file("locked.pem"), {
			...{ type: "rsa", passphrase: "open sesame", pem: true },
		});
		makeKey(file("stranger"), {});
		makeKey(file("rsa"), { type: "rsa" });
	});
	afterAll(() => desk.close());

	it("is asked for a passphrase once for all hosts, again after a wrong one, and never for a key that no host takes", async () => {
		sshd.authorize(publicKeys(file("locked")));
		desk.asked.length = 0;
		desk.passphrases = ["wrong", "open sesame"];
		const identityFiles = [file("locked.pem"), file("locked")];
		const hosts = desk.hosts(
			{ h1: sshd.port, h2: { port: sshd.port, address: "localhost" } },
			{ identityFiles, hostKeys: "accept-new" },
		);
		expect(await Promise.all([whoami(hosts), whoami(hosts, "h2")])).toEqual([
			"h1",
			"h2",
		]);
		expect(desk.asked).toEqual([file("locked"), file("locked")]);
	});

	it("gets in with an RSA key of the old encrypted form", async () => {
		sshd.authorize(publicKeys(file("locked.pem")));
		desk.passphrases = ["open sesame"];
		const identityFiles = [file("locked.pem")];
		const hosts = desk.hosts({ h1: sshd.port }, { identityFiles });
		expect(await whoami(hosts)).toBe("h1");
	});

	it("is told which keys were offered, and which could not be, when none is taken", async () => {
		sshd.authorize(publicKeys(file("locked")));
		desk.passphrases = [];
		chmodSync(file("rsa"), 0o644);
		const identityFiles = [file("stranger"), file("rsa"), file("locked")];
		const hosts = desk.hosts({ h1: sshd.port }, { identityFiles });
		const failure = await failureOf(whoami(hosts));
		chmodSync(file("rsa"), 0o600);
		expect(failure).toMatchObject({ kind: "unreachable", node: "h1" });
		expect(failure.message).toContain("let nobody in as");
		expect(failure.problems).toEqual([
			expect.stringMatching(/^offered: ssh-ed25519 SHA256:\S+ of .*stranger$/),
			expect.stringMatching(/^offered: ssh-ed25519 SHA256:\S+ of .*locked$/),
			expect.stringMatching(/^not offered: .*rsa is open to others; chmod 600/),
			expect.stringMatching(/^not used: the passphrase of .*locked is not/),
		]);
	});

	it("is told of a key file that the cluster file names and that is not there", async () => {
		const identityFiles = [file("nowhere")];
		await expect(
			whoami(desk.hosts({ h1: sshd.port }, { identityFiles })),
		).rejects.toThrow(`the key file ${file("nowhere")} is not there`);
	});

	it("gets in by a key that the agent alone has, and one that a locked file names", async () => {
		sshd.authorize(publicKeys(file("rsa"), file("locked")));
		desk.agent(file("stranger"), file("rsa"));
		const none = { identityFiles: [file("stranger")] };
		expect(await whoami(desk.hosts({ h1: sshd.port }, none))).toBe("h1");
	});

	it("does not offer the agent's other keys where IdentitiesOnly says so", async () => {
		sshd.authorize(publicKeys(file("rsa")));
		writeFileSync(desk.config, "Host *\n  IdentitiesOnly yes\n");
		const only = { identityFiles: [file("stranger")] };
		const failure = await failureOf(
			whoami(desk.hosts({ h1: sshd.port }, only)),
		);
		rmSync(desk.config);
		// It offers the one that the file names, and the agent has.
		expect(failure.problems).toEqual([
			expect.stringMatching(/^offered: ssh-ed25519 .* of the agent$/),
		]);
	});
});

describe("a host that is not there", () => {
	const desk = new Desk();
	let silent: Server;
	let calls = 0;
	let port: number;
	beforeAll(async () => {
		// As one that drops packets, but for the handshake of TCP.
		silent = createServer(() => {
			calls += 1;
		}).listen(0, "127.0.0.1");
		await once(silent, "listening");
		port = (silent.address() as { readonly port: number }).port;
	});
	afterAll(async () => {
		await desk.close();
		silent.close();
	});

	it("is named with what is wrong: refused, no route, no name, no SSH", async () => {
		const refused = await freePort();
		const hosts = desk.hosts({
			h1: refused,
			h2: { address: "no-such-host.invalid" },
			h3: { address: "255.255.255.255" },
		});
		const failures = await Promise.all(
			["h1", "h2", "h3"].map((name) => failureOf(whoami(hosts, name))),
		);
		for (const [at, failure] of failures.entries())
			expect(failure).toMatchObject({
				...{ kind: "unreachable", node: `h${at + 1}` },
				state: "nothing was done there",
			});
		expect(failures[0]?.message).toBe(
			`h1 (127.0.0.1:${refused}) refused the connection: nothing listens there`,
		);
		expect(failures[1]?.message).toContain("has a name that");
		expect(failures[2]?.message).toContain("there is no route");
	});

	it("costs one wait, whatever is asked of how many such hosts", async () => {
		const connectTimeoutMs = 1_500;
		const names = ["h1", "h2", "h3", "h4", "h5"];
		const hosts = desk.hosts(
			// Another user each: another connection each.
			Object.fromEntries(names.map((name) => [name, { port, user: name }])),
			{ connectTimeoutMs },
		);
		calls = 0;
		const errors: OperatorError[] = [];
		for (let asked = 0; asked < 3; asked += 1)
			errors.push(
				...(await Promise.all(
					names.map((name) => failureOf(whoami(hosts, name))),
				)),
			);
		expect(calls).toBe(names.length);
		expect(new Set(errors.map(({ node }) => node))).toEqual(new Set(names));
		for (const { message, kind } of errors)
			expect([kind, message]).toEqual([
				"unreachable",
				expect.stringContaining("did not answer within 1500 ms"),
			]);
	});
});

describe("a host behind another one", () => {
	const desk = new Desk();
	let bastion: Sshd;
	let inner: Sshd;
	beforeAll(async () => {
		bastion = await desk.sshd({ config: ["AllowTcpForwarding yes"] });
		inner = await desk.sshd();
	});
	afterAll(() => desk.close());
	const jump = () => `127.0.0.1:${bastion.port}`;

	it("is reached over it, each verified under its own name", async () => {
		writeFileSync(desk.knownHosts, "");
		desk.know(inner.known());
		const hosts = () => desk.hosts({ h1: inner.port }, { jump: jump() });
		const failure = await failureOf(whoami(hosts()));
		expect(failure.message).toContain(
			`has no key for [${jump().replace(":", "]:")}`,
		);
		desk.know(bastion.known());
		expect(await whoami(hosts())).toBe("h1");
		expect(bastion.log).toContain("Accepted publickey");
		// The bastion's key is not the inner host's.
		writeFileSync(desk.knownHosts, "");
		desk.know(bastion.known());
		expect((await failureOf(whoami(hosts()))).message).toContain(
			`has no key for [127.0.0.1]:${inner.port}`,
		);
		desk.know(inner.known());
	});

	it("is reached as ~/.ssh/config says, over several, by names of the cluster file", async () => {
		desk.know(bastion.known("ed25519", "first-hop"));
		writeFileSync(
			desk.config,
			[
				...["Host inner", "  HostName 127.0.0.1", `  Port ${inner.port}`],
				...["  ProxyJump hop1,hop2"],
				...["Host hop1 hop2", "  HostName 127.0.0.1"],
				...["  HostKeyAlias first-hop", `  Port ${bastion.port}`],
			].join("\n"),
		);
		expect(await whoami(desk.hosts({ h1: { address: "inner" } }))).toBe("h1");
		const named = desk.hosts({
			h1: { port: inner.port, jump: "gate" },
			gate: { port: bastion.port },
		});
		expect(await whoami(named)).toBe("h1");
		rmSync(desk.config);
	});

	it("that the one before cannot reach is told from one that is itself out of reach", async () => {
		desk.know(bastion.known());
		const nobody = await freePort();
		const beyond = await failureOf(
			whoami(desk.hosts({ h1: nobody }, { jump: jump() })),
		);
		expect(beyond.message).toContain("could not connect on to");
		const before = await failureOf(
			whoami(desk.hosts({ h1: inner.port }, { jump: `127.0.0.1:${nobody}` })),
		);
		expect(before.message).toContain("refused the connection");
	});

	it("is refused when the way is a circle", async () => {
		const hosts = desk.hosts({
			h1: { jump: "h2", port: 1 },
			h2: { jump: "h1", port: 2 },
		});
		await expect(whoami(hosts)).rejects.toMatchObject({ kind: "config" });
	});
});
