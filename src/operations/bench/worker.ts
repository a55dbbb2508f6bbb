import { parentPort, workerData } from "node:worker_threads";
import { reasonOf } from "../../errors.js";
import type { ThreadAnswer, ThreadOrder } from "./crew.js";
import { Hand } from "./hand.js";
import type { ThreadWish } from "./load.js";

/** A thread of the load: nothing is drawn or printed here, so that nothing delays a request. */
const hand = await Hand.open(workerData as ThreadWish);

parentPort?.on("message", async ({ number, order }: ThreadOrder) => {
	const answer = await hand.obey(order).then(
		(result): ThreadAnswer => ({ number, result }),
		(error): ThreadAnswer => ({
			number,
			failure: { kind: hand.kindOf(error), message: reasonOf(error) },
		}),
	);
	parentPort?.postMessage(answer);
});
