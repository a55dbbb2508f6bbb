import { resolve } from "node:path";
import { type Lab, openLab } from "./lab.js";
import { labNamed } from "./names.js";

/** The lab that the tests share; setup.ts has brought it up. A test leaves it as it found it, or calls `up`. */
export function theLab(): Promise<Lab> {
	return openLab({
		...labNamed(process.env.RAFTCTL_LAB),
		root: resolve(import.meta.dirname, "../.."),
	});
}
