import assert from "node:assert/strict";
import { describe } from "vitest";
import {
	connectKeyValue,
	EventsGoneError,
	NotDoneError,
	OutcomeUnknownError,
} from "../../src/client/index.js";
import { Random } from "../sim/random.js";
import { fuzz } from "./fuzz.js";
import { hostileServer } from "./hostile-server.js";

/** So many conversations at once: most of each is waiting. */
const atOnce = 16;
const timeoutMs = 150;
/** Far beyond every deadline that is given. */
const hangMs = 20_000;

async function settles<T>(what: string, work: Promise<T>): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const hang = new Promise<never>((_resolve, reject) => {
		timer = setTimeout(() => reject(new Error(`${what} hangs`)), hangMs);
	});
	return Promise.race([work, hang]).finally(() => clearTimeout(timer));
}

function expectTyped(error: unknown): void {
	assert(
		error instanceof NotDoneError || error instanceof OutcomeUnknownError,
		`${error instanceof Error ? error.stack : error}`,
	);
}

async function converse(random: Random): Promise<void> {
	const other = await hostileServer(random);
	const server = await hostileServer(random, other.endpoint);
	const client = connectKeyValue({
		endpoints: [server.endpoint, other.endpoint],
		...{ timeoutMs, connectTimeoutMs: 50, exactlyOnce: random.chance(0.5) },
	});
	const { raft } = client;
	const bytes = Buffer.from([1, 1, 0, 97]);
	const asked: readonly Promise<unknown>[] = [
		raft.command(bytes),
		raft.command(bytes, { ack: "none" }),
		raft.command(bytes, { level: 2 }),
		raft.query(bytes),
		raft.query(bytes, { consistency: "stale" }),
		client.put("a", "b"),
		client.get("a"),
		client.list({}),
	];
	const settled = await settles("a request", Promise.allSettled(asked));
	for (const one of settled)
		if (one.status === "rejected") expectTyped(one.reason);
		else expectAnswer(one.value);
	await settles("the end of the client", client.close());
	server.close();
	other.close();
}

function expectAnswer(answer: unknown): void {
	if (typeof answer !== "object" || answer === null) return;
	if (!("result" in answer) || !("index" in answer)) return;
	assert(answer.result instanceof Uint8Array, "an answer without a result");
	assert(Number.isSafeInteger(answer.index), `an index of ${answer.index}`);
}

async function watch(random: Random): Promise<void> {
	const server = await hostileServer(random);
	const client = connectKeyValue({
		endpoints: [server.endpoint],
		...{ timeoutMs, connectTimeoutMs: 50 },
	});
	let last = -1;
	let end: () => void;
	const ended = new Promise<void>((resolve) => {
		end = resolve;
	});
	const subscription = client.watch({
		from: random.pick([0, 1]),
		giveUpAfterMs: 100,
		onChange(index, { op, key, value }) {
			assert(index > last, `${index} after ${last}`);
			last = index;
			assert(op === "put" || op === "delete");
			assert(typeof key === "string" || key instanceof Uint8Array);
			assert(
				value === null ||
					typeof value === "string" ||
					value instanceof Uint8Array,
			);
		},
		onEnd(error) {
			if (!(error instanceof EventsGoneError) && error !== null)
				expectTyped(error);
			end();
		},
	});
	// One that goes on well would go on for ever.
	setTimeout(() => subscription.close(), timeoutMs);
	await settles("a subscription", ended);
	await settles("the end of the client", client.close());
	server.close();
}

/** All at once; each draws from a source of its own, so that the order in which they get on does not matter. */
function many(random: Random, run: (random: Random) => Promise<void>) {
	return Promise.all(
		Array.from({ length: atOnce }, (_, stream) =>
			run(new Random(random.below(2 ** 32), stream)),
		),
	);
}

describe("the client library before a server that says anything", () => {
	fuzz(
		"answers every request, by an error that has a type",
		12,
		async (random) => {
			await many(random, converse);
		},
	);

	fuzz(
		"tells a subscriber of changes in order, or why it ends",
		6,
		async (random) => {
			await many(random, watch);
		},
	);
});
