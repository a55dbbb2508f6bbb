import { eventually } from "../e2e/local-cluster.js";
import { application } from "./app.js";
import type { Ground } from "./ground.js";
import { type Choice, type Piece, three } from "./piece.js";

/** States are compared every 1024 entries, which the load has made in half a minute. */
const raiseLimitMs = 300_000;
/** It leads at times: then the alarms are about the others. */
const liar = "n3";

export const alarmPieces: readonly Piece[] = [
	{
		...{ name: "alarm clear", needs: three },
		...{ isJournaled: true, lapses: true },
		setting: { app: application({ liar }) },
		choose: (_members, _random, ground) => clearing(ground),
	},
];

interface Alarm {
	readonly kind: string;
	readonly node: string;
	readonly index: number;
}

/** The newest one: its cause is not mended, so that another may come after it. */
async function clearing(ground: Ground): Promise<Choice> {
	const standing = async (): Promise<readonly Alarm[]> =>
		(await ground.json(["alarm", "list"])).alarms;
	const alarm = await eventually(
		async () => (await standing()).at(-1) ?? null,
		"an alarm",
		raiseLimitMs,
	);
	return {
		argv: ["alarm", "clear", alarm.node, "--yes"],
		...{ goal: three, starts: {} },
		async faults() {
			const stands = (await standing()).some(
				({ node, index }) => node === alarm.node && index === alarm.index,
			);
			return stands ? [`the alarm about ${alarm.node} stands still`] : [];
		},
	};
}
