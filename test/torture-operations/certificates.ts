import type { Ground } from "./ground.js";
import { type Choice, type Piece, three } from "./piece.js";

export const certificatePieces: readonly Piece[] = [
	{
		...{ name: "certs rotate", needs: three, isJournaled: true },
		setting: { tls: true },
		choose: (_members, _random, ground) => rotating(ground),
	},
];

interface CertsStatus {
	readonly phase: string;
	readonly problems: readonly string[];
	readonly certificates: readonly {
		readonly kind: string;
		readonly fingerprint: string;
	}[];
}

/** No node is restarted for it, and nobody is turned away. What was given up is in a phase of which all is valid. */
async function rotating(ground: Ground): Promise<Choice> {
	// Not through yet, or about to end, is a problem to it, and an exit code of its own.
	const status = async (): Promise<CertsStatus> =>
		JSON.parse((await ground.run(["certs", "status", "--json"])).stdout);
	// One that was given up half-way is gone on with: it needs no authority besides.
	if ((await status()).phase !== "steady")
		await ground.succeed(["certs", "rotate", "--yes"]);
	const before = authorities(await status());
	return {
		argv: ["certs", "rotate", "--yes"],
		...{ goal: three, starts: {} },
		async faults() {
			const now = await status();
			const left = authorities(now).filter((one) => before.includes(one));
			return [
				...now.problems,
				...(now.phase === "steady" ? [] : [`it is in the phase ${now.phase}`]),
				...left.map((one) => `the authority ${one} is believed still`),
			];
		},
	};
}

function authorities({ certificates }: CertsStatus): readonly string[] {
	return certificates
		.filter(({ kind }) => kind === "authority")
		.map(({ fingerprint }) => fingerprint);
}
