import type { z } from "zod";
import { documentError } from "./document-error.js";
import { describeIssue, problemsOf } from "./problems.js";
import { parseYaml } from "./yaml-text.js";

/** A path into a document: keys and positions in lists. */
export type DocumentPath = readonly (string | number)[];

export interface ReadDocument<T> {
	readonly value: T;
	/** "cluster.yaml:4:11" of what lies at `path`, or of the nearest thing around it. */
	locate(path: DocumentPath): string;
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
	const yaml = parseYaml(text, source);
	const parsed = schema.safeParse(yaml.value, {
		reportInput: true,
		error: describeIssue,
	});
	if (!parsed.success)
		throw documentError(source, problemsOf(parsed.error.issues, yaml));
	return {
		value: parsed.data,
		locate: (path) => yaml.placeOf(yaml.offsetOf(path)),
	};
}
