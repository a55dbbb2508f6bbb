import { resolve } from "node:path";
import { openLab } from "./lab.js";
import { lockLab } from "./lock.js";
import { labNamed } from "./names.js";
import { installPrograms, requireRoot } from "./requirements.js";

const root = resolve(import.meta.dirname, "../..");
const waitMs = 1_800_000;

/** Brings the lab up for the tests, and takes it down after them unless it was up before. */
export default async function setup(): Promise<() => Promise<void>> {
	requireRoot();
	const tell = (line: string) => console.error(line);
	await installPrograms(tell);
	const which = labNamed(process.env.RAFTCTL_LAB);
	const lock = await lockLab(which.name, {
		as: `npm run test:lab (pid ${process.pid})`,
		waitMs,
	});
	const lab = await openLab({ ...which, root, tell });
	const wasUp = (await lab.status()).some(({ state }) => state !== "off");
	await lab.up();
	return async () => {
		if (!wasUp) await lab.down();
		await lock.release();
	};
}
