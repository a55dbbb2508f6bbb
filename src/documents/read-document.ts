import type { z } from "zod";
import { documentError } from "./document-error.js";
import { describeIssue, issuePlaces, problemsOf } from "./problems.js";
import { salvage } from "./salvage.js";
import { parseYaml } from "./yaml-text.js";

/** A path into a document: keys and positions in lists. */
export type DocumentPath = readonly (string | number)[];

export interface ReadDocument<T> {
	readonly value: T;
	/** "cluster.yaml:4:11" of what lies at `path`, or of the nearest thing around it. */
	locate(path: DocumentPath): string;
	/** Whether something at `path`, or below it, could not be read: a default may stand there that nobody meant. */
	doubts(path: DocumentPath): boolean;
}

/** A document of which not all could be read. */
export interface PartialDocument<T> {
	/** Null when too little could be read. */
	readonly document: ReadDocument<T> | null;
	/** Every mistake that was found, in the order of the file; empty when all could be read. */
	readonly problems: readonly string[];
}

/**
 * Reads YAML 1.2 by a schema. `source` is what errors call the text: its path, or "-". Throws OperatorError "config"
 * whose problems name every mistake, each as file:line:column, a sentence and a hint. Messages of the schema's own
 * refinements are predicates ("must be host:port"): the key is put before them.
 */
export function readDocument<Schema extends z.ZodType>(
	text: string,
	source: string,
	schema: Schema,
): ReadDocument<z.output<Schema>> {
	const { document, problems } = readPartially(text, source, { schema });
	if (document === null || problems.length > 0)
		throw documentError(source, problems);
	return document;
}

/**
 * The same, but returns the mistakes together with what could be read despite them, so that it can be checked too.
 * `standIns` replace required keys of the top level that are missing. Throws only when the text is no YAML mapping.
 */
export function readPartially<Schema extends z.ZodType>(
	text: string,
	source: string,
	{
		schema,
		standIns = {},
	}: {
		readonly schema: Schema;
		readonly standIns?: Readonly<Record<string, unknown>>;
	},
): PartialDocument<z.output<Schema>> {
	const yaml = parseYaml(text, source);
	const locate = (path: DocumentPath) => yaml.placeOf(yaml.offsetOf(path));
	const parsed = schema.safeParse(yaml.value, {
		reportInput: true,
		error: describeIssue,
	});
	if (parsed.success) {
		const document = { value: parsed.data, locate, doubts: () => false };
		return { document, problems: [] };
	}
	const { issues } = parsed.error;
	const problems = problemsOf(issues, yaml);
	const saved = salvage(yaml.value, schema, { issues, standIns });
	if (saved === null) return { document: null, problems };
	const { value, original } = saved;
	const places = issues.flatMap((issue) => issuePlaces(issue));
	const document = {
		value,
		locate: (path: DocumentPath) => locate(original(path)),
		doubts: (path: DocumentPath) => {
			const asked = original(path);
			return places.some((place) =>
				asked.every((part, position) => place.path[position] === part),
			);
		},
	};
	return { document, problems };
}
