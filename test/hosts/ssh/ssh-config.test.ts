import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { destinationOf } from "../../../src/hosts/ssh/destination.js";
import { parseSshConfig } from "../../../src/hosts/ssh/ssh-config.js";
import { readSshConfig } from "../../../src/hosts/ssh/ssh-config-file.js";

const directory = mkdtempSync(join(tmpdir(), "raftctl-ssh-config-"));
const main = join(directory, "config");
afterAll(() => rmSync(directory, { recursive: true }));

/** Where raftctl would go for this word, as far as OpenSSH says the same with `ssh -G`. */
async function ours(alias: string) {
	const { hostName, port, user, identityFiles, jumps, identitiesOnly } =
		destinationOf(
			{
				...{ name: alias, address: alias },
				ssh: {
					...{ address: alias, user: null, port: null },
					...{ identityFiles: null, jump: null },
				},
			},
			{
				directives: await readSshConfig(main, homedir()),
				person: {
					...{ home: homedir(), user: userInfo().username, agentSocket: null },
				},
				ssh: {
					...{ user: null, identityFiles: null, config: main, jump: null },
					...{ knownHosts: null, hostKeys: "strict", connectTimeoutMs: 1_000 },
				},
			},
		);
	return {
		...{ hostname: hostName, port: String(port), user },
		proxyjump: jumps.join(","),
		identitiesonly: identitiesOnly ? "yes" : "no",
		identityfile: identityFiles,
	};
}

function theirs(alias: string) {
	const { stdout, stderr, status } = spawnSync(
		"ssh",
		["-G", "-F", main, alias],
		{ encoding: "utf8" },
	);
	if (status !== 0) throw new Error(stderr);
	const lines = stdout.split("\n").map((line) => {
		const at = line.indexOf(" ");
		return [line.slice(0, at), line.slice(at + 1)] as const;
	});
	const one = (key: string) => lines.find(([name]) => name === key)?.[1] ?? "";
	return {
		...{ hostname: one("hostname"), port: one("port"), user: one("user") },
		...{ proxyjump: one("proxyjump"), identitiesonly: one("identitiesonly") },
		identityfile: lines
			.filter(([name]) => name === "identityfile")
			.map(([, file]) =>
				file
					.replace(/^~/, homedir())
					.replaceAll("%h", one("hostname"))
					.replaceAll("%r", one("user")),
			),
	};
}

const text = `
# first words count
Host n1 n2
	HostName %h.example.net
	User = deploy
	Port 2222
	IdentityFile ~/.ssh/special
	IdentityFile "/keys/%h-%r"
HOST *.example.org !bad.example.org
	ProxyJump bastion,user@inner:99
	UnknownThing yes
Host *
	User everyone
Host late
	User nobody
	HostName 10.0.0.9
Include conf.d/*.conf extra
Match host n3
	Port 4444
Match exec "false"
	Port 1
Match all
	IdentitiesOnly yes
`;

describe("~/.ssh/config", () => {
	mkdirSync(join(directory, "conf.d"));
	writeFileSync(main, text.replaceAll("UnknownThing", "#"));
	writeFileSync(
		join(directory, "conf.d", "a.conf"),
		"Host n4\n  HostName 10.0.0.4\n  Include ../deep\n",
	);
	writeFileSync(join(directory, "conf.d", "b.conf"), "Host n4\n  Port 5\n");
	writeFileSync(join(directory, "extra"), "Host n5\n  Port 55\n");

	it.each([
		...["n1", "n2", "N1", "a.example.org", "bad.example.org"],
		...["late", "n3", "other", "10.0.0.1"],
	])(
		"leads to the same place as OpenSSH's own reading of it: %s",
		async (alias) => {
			const [own, other] = [await ours(alias), theirs(alias)];
			// Which keys it tries unasked is each program's own matter.
			if (!["n1", "n2"].includes(alias)) {
				expect({ ...own, identityfile: [] }).toEqual({
					...other,
					identityfile: [],
				});
				return;
			}
			expect(own).toEqual(other);
		},
	);

	it("includes files by wildcards, each for the host that it is said of", async () => {
		writeFileSync(
			main,
			`Include ${directory}/conf.d/*.conf ${directory}/extra\n`,
		);
		writeFileSync(
			join(directory, "conf.d", "a.conf"),
			`Host n4\n  HostName 10.0.0.4\n  Include ${directory}/deep\n`,
		);
		writeFileSync(
			join(directory, "deep"),
			"User inner\nHost n9\n  User none\n",
		);
		for (const alias of ["n4", "n5", "n6", "n9"])
			expect({ ...(await ours(alias)), identityfile: [] }).toEqual({
				...theirs(alias),
				identityfile: [],
			});
		expect((await ours("n4")).user).toBe("inner");
	});

	it("is refused when it includes itself without end, and missed by nobody when it is not there", async () => {
		writeFileSync(main, `Include ${main}\n`);
		await expect(readSshConfig(main, homedir())).rejects.toMatchObject({
			kind: "config",
		});
		expect(await readSshConfig(join(directory, "none"), homedir())).toEqual([]);
	});

	it("that goes through a program is refused rather than gone round", async () => {
		writeFileSync(main, "Host n1\n  ProxyCommand nc -X 5 %h %p\n");
		await expect(ours("n1")).rejects.toMatchObject({
			kind: "config",
			message: expect.stringContaining("ProxyCommand"),
		});
		writeFileSync(main, "Host n1\n  ProxyJump b\n  ProxyCommand nc %h %p\n");
		expect((await ours("n1")).proxyjump).toBe("b");
	});

	it("reads any text to an end", () => {
		fc.assert(
			fc.property(fc.string({ unit: "binary" }), (any) => {
				for (const { key, values } of parseSshConfig(any)) {
					expect(key).not.toBe("");
					expect(values.length).toBeGreaterThan(0);
				}
			}),
		);
	});
});
