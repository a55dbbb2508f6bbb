// Loaded into a raftd before anything else: its wall clock is as far off as the file says, from one moment to the next.
import { readFileSync } from "node:fs";

const file = process.env.TORTURE_CLOCK;
const realNow = Date.now;
const lookEveryMs = 20;
let offMs = 0;

function look() {
	try {
		offMs = Number(readFileSync(file, "utf8")) || 0;
	} catch {
		offMs = 0;
	}
}

look();
setInterval(look, lookEveryMs).unref();
Date.now = () => realNow() + offMs;
