import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OperationContext } from "../../../src/operations/context.js";
import { listOperations } from "../../../src/operations/operations.js";
import { recoverCluster } from "../../../src/operations/recover/recover-cluster.js";
import {
	deadHolderWaitMs,
	takeUpUnfinished,
} from "../../../src/operations/taking-up.js";
import { mortal } from "../../fakes/mortal.js";
import { failureOf } from "../operating.js";
import { DisasterGround } from "./disaster-ground.js";

const limitMs = 180_000;
const recovering = (context: OperationContext) =>
	recoverCluster(
		context,
		{ nodes: [] },
		{
			...{ lockWaitMs: 0, told: async () => undefined },
		},
	);
const resuming = (ground: DisasterGround) =>
	takeUpUnfinished(ground.context(), {
		...{ id: null, as: "resume", lockWaitMs: deadHolderWaitMs },
	});

let ground: DisasterGround;
beforeEach(() => {
	ground = lost();
});
afterEach(() => {
	expect(ground.sins).toEqual([]);
	ground.dispose();
});

/** Two of three disks are gone. */
function lost(): DisasterGround {
	const made = new DisasterGround();
	for (const id of ["n2", "n3"]) made.files.remove(made.data(id));
	return made;
}

const isRecord = (path: string) => /\/operations\/[^/]+\.json$/.test(path);

function hasRecord({ files }: DisasterGround): boolean {
	return [...files.files.keys()].some(isRecord);
}

/** What is not raftctl's own: the data, and what the nodes start with. */
function left({ files }: DisasterGround): readonly (readonly string[])[] {
	return [...files.files].filter(
		([path]) => !/\/operation(s\/|\.lock)/.test(path),
	);
}

/** Kills the operator right behind the `nth` thing that it writes. False when it wrote its record before that. */
async function killedBehindWrite(nth: number): Promise<boolean> {
	const base = ground.context("bob");
	let writes = 0;
	let die: () => void = () => undefined;
	const dead = new Promise<boolean>((resolve) => {
		die = () => resolve(true);
	});
	const kill = () => {
		operator.kill();
		die();
	};
	const counted = () => {
		if (hasRecord(ground) || ++writes === nth) kill();
	};
	const operator = mortal({
		...base,
		machines: {
			...base.machines,
			host: async (name) => {
				const host = await base.machines.host(name);
				return {
					...host,
					upload: async (...given) => {
						await host.upload(...given);
						counted();
					},
					run: async (argv, options) => {
						const result = await host.run(argv, options);
						if (["mv", "tee"].includes(argv[0] ?? "")) counted();
						return result;
					},
				};
			},
		},
	});
	void recovering(operator.context).catch(() => undefined);
	await dead;
	return !hasRecord(ground);
}

describe("a recovery that is killed before its record is written", () => {
	it(
		"has changed nothing, and says so to who would list or resume it; given again, it comes about",
		async () => {
			let killed = 0;
			for (let nth = 1; ; nth++) {
				ground.dispose();
				ground = lost();
				const before = left(ground);
				if (!(await killedBehindWrite(nth))) break;
				killed++;
				expect(left(ground)).toEqual(before);
				const isLocked = ground.files.isThere(
					`${ground.inventory().stateDirectory}/operation.lock`,
				);
				for (const work of [
					() => listOperations(ground.context()),
					() => resuming(ground),
				]) {
					const { kind, state, next } = await failureOf(work());
					expect(kind).toBe("unreachable");
					expect(state).toContain(
						isLocked
							? '"recover" by bob@desk:2 was killed before it wrote its record: nothing was changed'
							: "left no record has changed nothing, and is given again",
					);
					expect(next).toContain(
						isLocked ? "raftctl recover" : "raftctl status",
					);
				}
				await recovering(ground.context());
				expect(ground.inventory().id).not.toBe("orders-old");
			}
			expect(killed).toBeGreaterThan(2);
		},
		limitMs,
	);
});
