import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";

export const root = resolve(import.meta.dirname, "../..");

const directory = join(root, "templates/docker");

export interface ComposeService {
	readonly build?: string;
	readonly image?: string;
	readonly entrypoint?: readonly string[];
	readonly command?: readonly string[];
	readonly profiles?: readonly string[];
	readonly environment?: Readonly<Record<string, string>>;
	readonly stop_grace_period?: string;
	readonly restart?: string;
	readonly networks?: readonly string[];
	readonly ports?: readonly string[];
	readonly volumes?: readonly string[];
	readonly configs?: readonly {
		readonly source: string;
		readonly target: string;
	}[];
	readonly depends_on?: Readonly<
		Record<string, { readonly condition: string }>
	>;
	readonly healthcheck?: Readonly<Record<string, unknown>>;
}

interface Compose {
	readonly services: Readonly<Record<string, ComposeService>>;
	readonly networks: Readonly<Record<string, unknown>>;
	readonly volumes: Readonly<Record<string, unknown>>;
	readonly configs: Readonly<Record<string, { readonly content: string }>>;
}

export const compose = parse(
	readFileSync(join(directory, "compose.yaml"), "utf8"),
	{ version: "1.2", merge: true, strict: true },
) as Compose;

export const nodeNames = ["n1", "n2", "n3"] as const;

/** The text of a file that a service is given, as it lies in the container: Compose reads $$ as $. */
export function contentOf(name: string): string {
	const content = compose.configs[name]?.content;
	if (content === undefined) throw new Error(`there is no config ${name}`);
	if (/(?<!\$)\$(?!\$)/.test(content.replaceAll("$$", "")))
		throw new Error(`Compose would take a $ of ${name} for a variable`);
	return content.replaceAll("$$", "$");
}

export interface Instruction {
	readonly name: string;
	readonly text: string;
	/** Of which stage: 0 is the first FROM. */
	readonly stage: number;
}

/** The instructions of the Dockerfile, each on one line. */
export const dockerfile: readonly Instruction[] = readInstructions(
	readFileSync(join(directory, "Dockerfile"), "utf8"),
);

function readInstructions(text: string): readonly Instruction[] {
	let stage = -1;
	return text
		.replaceAll(/^#.*\n/gm, "")
		.replaceAll(/\\\n\s*/g, "")
		.split("\n")
		.filter((line) => line.trim() !== "")
		.map((line) => {
			const [name = "", ...rest] = line.split(" ");
			if (name === "FROM") stage++;
			return { name, text: rest.join(" ").trim(), stage };
		});
}

/** What stands behind the instruction in the image itself; throws unless it is there once. */
export function inImage(name: string): string {
	const last = Math.max(...dockerfile.map(({ stage }) => stage));
	const found = dockerfile.filter(
		(one) => one.stage === last && one.name === name,
	);
	if (found.length !== 1) throw new Error(`${found.length} times ${name}`);
	return found[0]?.text ?? "";
}

/** The words of a command in exec form. */
export function execForm(text: string): readonly string[] {
	return JSON.parse(text.slice(text.indexOf("[")));
}
