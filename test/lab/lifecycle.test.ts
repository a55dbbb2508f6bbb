import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { hierarchies } from "./control-group.js";
import { type Lab, openLab } from "./lab.js";
import { lockLab } from "./lock.js";
import { allHosts } from "./names.js";
import { run } from "./program.js";
import { until } from "./until.js";

/** Another lab than the one that the other tests use, so that it can come and go. */
const name = "labtest";
const subnet = "10.78.0";
const root = resolve(import.meta.dirname, "../..");
let lab: Lab;

beforeAll(async () => {
	lab = await openLab({ root, name, subnet });
	await lab.down();
});

afterEach(() => lab.down());

/** Whatever of it can be found on this machine, its keys aside. */
async function traces(): Promise<readonly string[]> {
	const { all } = await hierarchies();
	const ofProcess = (pid: string, file: string) => {
		try {
			return readFileSync(`/proc/${pid}/${file}`, "utf8");
		} catch {
			return "";
		}
	};
	const processes = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
	return [
		...(await run(["ip", "-brief", "link"])).split("\n"),
		...(await run(["nft", "list", "tables"])).split("\n"),
		...(await run(["losetup", "--all"])).split("\n"),
		...readdirSync(lab.directory)
			.filter((entry) => entry === "machines")
			.map((entry) => join(lab.directory, entry)),
		...all.flatMap((hierarchy) =>
			readdirSync(hierarchy).map((entry) => join(hierarchy, entry)),
		),
		...processes.flatMap((pid) => ofProcess(pid, "mountinfo").split("\n")),
		...processes.map((pid) => ofProcess(pid, "cmdline").replaceAll("\0", " ")),
		...["propagate", "unix-export"]
			.map((entry) => `/run/systemd/nspawn/${entry}`)
			.filter((path) => existsSync(path))
			.flatMap((path) => readdirSync(path)),
	].filter((line) => line.includes(name));
}

describe("a lab that comes and goes", () => {
	it("leaves nothing behind", async () => {
		await lab.up(["h1", "h2"]);
		await lab.cut("h1", { from: "all" });
		await lab.freeze("h2");
		expect((await traces()).length).toBeGreaterThan(5);
		await lab.down();
		expect(await traces()).toEqual([]);
		expect((await lab.status()).map(({ state }) => state)).toEqual(
			allHosts.map(() => "off"),
		);
	});

	it("is left as it is by a second up, and mended where that is needed", async () => {
		const began = async () =>
			(await lab.exec("h1", ["cut", "-d ", "-f22", "/proc/1/stat"])).stdout;
		await lab.up(["h1"]);
		const before = await began();
		await lab.cut("h1", { from: "all" });
		await lab.fillDisk("h1");
		await lab.stopSsh("h1");
		await lab.freeze("h1");
		await lab.up(["h1"]);
		expect(await began()).toBe(before);
		expect((await lab.status())[0]).toMatchObject({
			state: "up",
			cutFrom: [],
		});
		await lab.exec("h1", ["sh", "-euc", "echo >/var/lib/raftctl/file"]);
	});

	it("brings up a machine that has shut itself down", async () => {
		await lab.up(["h1"]);
		await lab.exec("h1", ["systemctl", "--no-block", "poweroff"]);
		await lab.up(["h1"]);
		const { exitCode } = await lab.exec("h1", [
			"systemctl",
			"is-active",
			"ssh",
		]);
		expect(exitCode).toBe(0);
	});

	it("is found again, and taken down, after whoever brought it up was killed", async () => {
		const child = spawn(process.execPath, ["scripts/lab.mjs", "up"], {
			cwd: root,
			stdio: "ignore",
			env: { ...process.env, RAFTCTL_LAB: `${name},${subnet}` },
		});
		const isBooting = async () =>
			(await traces()).some((line) => line.includes("systemd-nspawn"));
		await until(isBooting, 60_000, { what: "a machine to boot" });
		child.kill("SIGKILL");
		await once(child, "exit");
		await lab.up(["h1"]);
		expect((await lab.status())[0]).toMatchObject({ state: "up" });
		await lab.down();
		expect(await traces()).toEqual([]);
	});
});

describe("what the lab did not make", () => {
	const bridge = `${name}0`;
	afterEach(() => run(["ip", "link", "delete", bridge]).catch(() => {}));

	it("is left alone", async () => {
		await run(["ip", "link", "add", "name", bridge, "type", "bridge"]);
		const refusal = {
			kind: "refused",
			message: expect.stringContaining(bridge),
		};
		await expect(lab.up(["h1"])).rejects.toMatchObject(refusal);
		await expect(lab.down()).rejects.toMatchObject(refusal);
		expect(await run(["ip", "-brief", "link", "show", bridge])).toContain(
			bridge,
		);
		await run(["ip", "link", "delete", bridge]);
	});
});

describe("the lock of a lab", () => {
	it("is one's own until it is released, and says whose it is", async () => {
		const mine = await lockLab(name, { as: "the first", waitMs: 0 });
		const other = lockLab(name, { as: "the second", waitMs: 0 });
		await expect(other).rejects.toMatchObject({
			kind: "locked",
			message: expect.stringContaining("the first"),
		});
		await mine.release();
		await (await lockLab(name, { as: "the third", waitMs: 0 })).release();
	});

	it("ends with whoever held it", async () => {
		const script = `require("node:net").createServer().listen("\\0raftctl-lab.${name}", () => console.log("held"))`;
		const child = spawn(process.execPath, ["-e", script]);
		await once(child.stdout, "data");
		await expect(
			lockLab(name, { as: "the second", waitMs: 0 }),
		).rejects.toMatchObject({ kind: "locked" });
		child.kill("SIGKILL");
		await (await lockLab(name, { as: "the third", waitMs: 10_000 })).release();
	});
});
