import { FrameBatch } from "../../src/wire/client-frame-batch.js";
import { acks, consistencies, reasons } from "../../src/wire/client-frames.js";
import type { Random } from "../sim/random.js";
import { garbage } from "./mutations.js";
import { largest48, u48 } from "./numbers.js";

const u32 = (random: Random) => random.below(2 ** 32);
const some = (random: Random) => garbage(random, random.below(40));

/** A request as a client sends it, without its length. */
export function soundRequest(random: Random, requestId = u32(random)): Buffer {
	const batch = new FrameBatch();
	const common = { requestId, deadlineMs: u32(random) };
	const choice = random.below(4);
	if (choice === 0) {
		const wantsAge = random.chance(0.3);
		const consistency = wantsAge ? "stale" : random.pick(consistencies);
		const query = { ...common, minIndex: u48(random), query: some(random) };
		batch.query({ ...query, consistency, wantsAge });
	} else if (choice === 1) batch.openSession(common);
	else {
		const ack = random.pick(acks);
		const acknowledged = Math.min(u48(random), largest48 - 1);
		const session = { id: u48(random) || 1, sequence: largest48, acknowledged };
		batch.command({
			...{ ...common, ack, command: some(random) },
			...(random.chance(0.5) ? { level: random.whole(1, 255) } : {}),
			...(random.chance(0.5) ? { session } : {}),
		});
	}
	return batch.take().subarray(4);
}

/** An answer as a node sends it, without its length. */
export function soundAnswer(random: Random, requestId = u32(random)): Buffer {
	const batch = new FrameBatch();
	const index = u48(random);
	switch (random.below(5)) {
		case 0:
			batch.result(requestId, index, some(random));
			break;
		case 1:
			batch.agedResult(requestId, { index, ageMs: u32(random) }, some(random));
			break;
		case 2:
			batch.session(requestId, index, u32(random));
			break;
		case 3:
			batch.failed({
				...{ requestId, retryAfterMs: u32(random), message: "no: ä" },
				outcome: random.pick(["rejected", "unknown"] as const),
				reason: random.pick(reasons),
			});
			break;
		default:
			batch.goaway();
	}
	return batch.take().subarray(4);
}
