import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { lacksRoot, onSmallDisk } from "../fakes/small-disk.js";
import { LocalCluster } from "./local-cluster.js";

let cluster: LocalCluster;
afterEach(() => cluster.dispose());

it.skipIf(lacksRoot)(
	"a rotation of certificates that finds a disk full says where, and is resumed once there is room",
	async () => {
		cluster = await LocalCluster.create({ portBase: 26_100 });
		await appendFile(cluster.file, "\ntls: {}\n");
		await cluster.succeed(["certs", "init"]);
		await cluster.succeed(["up"]);
		const home = dirname(await cluster.dataOf("n2"));
		const directory = join(home, "tls");
		const kept = join(home, "kept");
		cpSync(directory, kept, { recursive: true });
		await onSmallDisk(directory, "16k", async () => {
			cpSync(kept, directory, { recursive: true });
			try {
				writeFileSync(join(directory, "big"), Buffer.alloc(65_536));
			} catch {
				// It is full now.
			}
			const { exitCode, stderr } = await cluster.run([
				...["certs", "rotate", "--yes"],
			]);
			expect([exitCode, stderr]).toEqual([14, stderr]);
			expect(stderr).toContain(
				`the disk of ${directory} on this machine is full: 0 bytes are free`,
			);
			expect(stderr).toContain("nothing is lost");
			expect(stderr).toContain(
				`Next: make room on this machine (df -h ${directory}), then raftctl operation resume -c cluster.yaml goes on with it`,
			);
			rmSync(join(directory, "big"));
			await cluster.succeed(["operation", "resume", "--yes"]);
			cpSync(directory, kept, { recursive: true });
		});
		mkdirSync(directory, { recursive: true });
		cpSync(kept, directory, { recursive: true });
		expect((await cluster.json(["certs", "status"])).problems).toEqual([]);
	},
	120_000,
);
