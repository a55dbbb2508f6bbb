import { runAttached } from "../../hosts/attached.js";
import { reportOf } from "../doctor.js";

/** The raftd that came with this raftctl, for files on this machine. */
export interface LocalRaftd {
	readonly programs: { readonly node: string; readonly raftd: string };
	readonly signal: AbortSignal;
}

interface FileWish {
	readonly word: "inspect" | "verify";
	readonly file: string;
	/** The module of the machine; null for the bundled one. */
	readonly app: string | null;
}

/** Looks at a snapshot's file, changing nothing. For people: raftd itself writes to the terminal. */
export async function lookAtFile(
	raftd: LocalRaftd,
	wish: FileWish,
): Promise<number> {
	const { exitCode } = await runAttached(argvOf(raftd, wish, []), {
		...{ stdout: "inherit", signal: raftd.signal },
	});
	return exitCode;
}

/** The same as an object. Throws what raftd said it failed with. */
export async function reportOnFile(
	raftd: LocalRaftd,
	wish: FileWish,
): Promise<{ readonly report: object; readonly exitCode: number }> {
	const argv = argvOf(raftd, wish, ["--json"]);
	const { exitCode, stdout } = await runAttached(argv, {
		...{ stdout: "collect", signal: raftd.signal },
	});
	return {
		report: reportOf(stdout, `snapshot ${wish.word}`, exitCode),
		exitCode,
	};
}

function argvOf(
	{ programs: { node, raftd } }: LocalRaftd,
	{ word, file, app }: FileWish,
	flags: readonly string[],
): string[] {
	const machine = app === null || word === "inspect" ? [] : ["--app", app];
	return [node, raftd, "snapshot", word, ...flags, ...machine, "--", file];
}
