import type { z } from "zod";
import { nearest } from "./nearest.js";
import type { DocumentPath } from "./read-document.js";
import type { YamlText } from "./yaml-text.js";

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/** Turns the schema's issues into "file:line:column sentence; hint", in the order of the file. */
export function problemsOf(
	issues: readonly Issue[],
	yaml: YamlText,
): readonly string[] {
	return issues
		.flatMap((issue) => problemsOfIssue(issue, [], yaml))
		.sort((one, other) => one.offset - other.offset)
		.map(({ offset, sentence }) => `${yaml.placeOf(offset)} ${sentence}`);
}

interface Problem {
	readonly offset: number;
	readonly sentence: string;
}

/**
 * The sentence of an issue, given to zod as its error map. For unknown keys it carries the known ones: the issue
 * itself does not tell them, and only zod knows which part of the schema it was.
 */
export function describeIssue(issue: RawIssue): string {
	switch (issue.code) {
		case "unrecognized_keys":
			return knownKeys(issue).join(keySeparator);
		case "invalid_type":
			return `must be ${typeNames[issue.expected] ?? issue.expected}`;
		case "invalid_value":
			return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
		case "too_small":
			return boundary("at least", Number(issue.minimum), issue.origin);
		case "too_big":
			return boundary("at most", Number(issue.maximum), issue.origin);
		case "invalid_format":
			return `must be ${issue.format === "regex" ? `of the form ${issue.pattern}` : `a valid ${issue.format}`}`;
		case "invalid_union":
			return "has none of the forms it may have";
		default:
			return "is not valid";
	}
}

const keySeparator = " ";

const typeNames: Readonly<Record<string, string>> = {
	string: "text",
	number: "a number",
	int: "a whole number",
	boolean: "true or false",
	array: "a list",
	object: "a mapping",
	record: "a mapping",
};

function knownKeys(issue: RawIssue): string[] {
	const definition = issue.inst?._zod.def;
	return definition !== undefined && "shape" in definition
		? Object.keys(definition.shape as object)
		: [];
}

function boundary(word: string, limit: number, origin: string): string {
	switch (origin) {
		case "array":
			return `must have ${word} ${limit} ${limit === 1 ? "entry" : "entries"}`;
		case "string":
			return `must have ${word} ${limit} ${limit === 1 ? "character" : "characters"}`;
		default:
			return `must be ${word} ${limit}`;
	}
}

function problemsOfIssue(
	issue: Issue,
	parent: DocumentPath,
	yaml: YamlText,
): Problem[] {
	const path = [...parent, ...(issue.path as (string | number)[])];
	if (issue.code === "unrecognized_keys")
		return issue.keys.map((key) => unknownKey(key, issue, path, yaml));
	if (issue.code === "invalid_union") {
		const branch = meantBranch(issue.errors);
		if (branch !== null)
			return branch.flatMap((inner) => problemsOfIssue(inner, path, yaml));
	}
	if (issue.input === undefined && issue.code !== "custom")
		return [missing(issue, path, yaml)];
	const sentence = `${nameOf(path)} ${issue.message}${found(issue)}`;
	return [{ offset: yaml.offsetOf(path), sentence }];
}

/** Where an issue lies in the document. */
export interface IssuePlace {
	readonly path: DocumentPath;
	/** Nothing is there, and something must be. */
	readonly missing: boolean;
}

/** Every place that an issue is about, by the same reading of a choice between forms as its sentences. */
export function issuePlaces(
	issue: Issue,
	parent: DocumentPath = [],
): readonly IssuePlace[] {
	const path = [...parent, ...(issue.path as (string | number)[])];
	if (issue.code === "unrecognized_keys")
		return issue.keys.map((key) => ({ path: [...path, key], missing: false }));
	if (issue.code === "invalid_union") {
		const branch = meantBranch(issue.errors);
		if (branch !== null)
			return branch.flatMap((inner) => issuePlaces(inner, path));
	}
	const missing = issue.input === undefined && issue.code !== "custom";
	return [{ path, missing }];
}

/** Of a choice between forms, the one whose type fits what was written; null when none or several do. */
function meantBranch(branches: readonly Issue[][]): Issue[] | null {
	const fitting = branches.filter(
		(issues) =>
			!issues.some(
				({ code, path }) =>
					path.length === 0 &&
					(code === "invalid_type" || code === "invalid_value"),
			),
	);
	return fitting.length === 1 ? (fitting[0] ?? null) : null;
}

function unknownKey(
	key: string,
	issue: Issue,
	path: DocumentPath,
	yaml: YamlText,
): Problem {
	const known = issue.message.split(keySeparator).filter((name) => name !== "");
	const guess = nearest(key, known);
	const hint =
		guess === null
			? `known here: ${known.join(", ")}`
			: `did you mean ${JSON.stringify(guess)}?`;
	const where = path.length === 0 ? "" : ` in ${nameOf(path)}`;
	return {
		offset: yaml.offsetOfKey(path, key),
		sentence: `unknown key ${JSON.stringify(key)}${where}; ${hint}`,
	};
}

function missing(issue: Issue, path: DocumentPath, yaml: YamlText): Problem {
	const parent = path.slice(0, -1);
	const where =
		parent.length === 0 ? "at the top level" : `in ${nameOf(parent)}`;
	return {
		offset: yaml.offsetOf(parent),
		sentence: `${JSON.stringify(String(path.at(-1)))} is missing ${where}; it ${issue.message}`,
	};
}

function found(issue: Issue): string {
	const { input } = issue;
	if (input === undefined) return "";
	if (input === null) return "; there is nothing after the colon";
	if (typeof input === "number" && issue.code === "invalid_type")
		return `; found the number ${input}${expectsText(issue) ? ", put it in quotes if it is meant" : ""}`;
	if (typeof input === "boolean") return `; found ${input}`;
	if (typeof input === "string")
		return `; found ${JSON.stringify(clip(input))}`;
	if (Array.isArray(input) && issue.code === "invalid_type")
		return "; found a list";
	if (typeof input === "object" && issue.code === "invalid_type")
		return "; found a mapping";
	return typeof input === "number" ? `; found ${input}` : "";
}

/** Plain text, that is: a schema that wants a form of its own says so itself. */
function expectsText(issue: Issue): boolean {
	return (
		issue.code === "invalid_type" &&
		issue.expected === "string" &&
		issue.message === `must be ${typeNames.string}`
	);
}

function clip(text: string): string {
	return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** nodes[0].peer, as one would say it. */
function nameOf(path: DocumentPath): string {
	if (path.length === 0) return "the file";
	return path
		.map((part, position) =>
			typeof part === "number"
				? `[${part}]`
				: position === 0
					? part
					: `.${part}`,
		)
		.join("");
}
