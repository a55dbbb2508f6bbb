import { OperatorError } from "../errors.js";
import type { NodeRef } from "./engine.js";

export type AnswerReader = ReturnType<typeof answerReader>;

const maxListLength = 1024;

/**
 * Reads the fields of a JSON answer of `node`, each believed only after a check. JSON leaves zero values out and carries
 * uint64 as strings; both are put right here. Each throws OperatorError "unreachable": whatever listens there is not a
 * raftd that this raftctl can speak to.
 */
export function answerReader(node: NodeRef) {
	const refuse = (field: string, value: unknown): never => {
		throw new OperatorError(
			"unreachable",
			`${node.id} answers with something that is not a raftd status`,
			{
				node: node.id,
				state: `field ${field} is ${JSON.stringify(value)?.slice(0, 80)}, from ${node.admin}`,
				next: "compare the admin address in the cluster file, and the releases of raftctl and raftd",
			},
		);
	};
	const signed = (field: string, value: unknown): number => {
		if (value === undefined) return 0;
		return typeof value === "number" && Number.isFinite(value)
			? value
			: refuse(field, value);
	};
	return {
		text(field: string, value: unknown): string {
			if (value === undefined) return "";
			return typeof value === "string" ? value : refuse(field, value);
		},
		signed,
		number(field: string, value: unknown): number {
			const number = signed(field, value);
			return number >= 0 ? number : refuse(field, value);
		},
		integer(field: string, value: unknown): number {
			if (value === undefined) return 0;
			const number =
				typeof value === "string" && /^\d{1,16}$/.test(value)
					? Number(value)
					: value;
			return Number.isSafeInteger(number) && (number as number) >= 0
				? (number as number)
				: refuse(field, value);
		},
		list<T>(field: string, value: readonly T[] | undefined): readonly T[] {
			if (value === undefined) return [];
			return Array.isArray(value) && value.length <= maxListLength
				? value
				: refuse(field, value);
		},
		oneOf<T extends string>(
			field: string,
			value: unknown,
			allowed: readonly T[],
		): T {
			return allowed.find((one) => one === value) ?? refuse(field, value);
		},
		/** One of a message's own fields, or one of a list: null where it is absent. */
		message<T extends object>(field: string, value: T | undefined): T | null {
			if (value === undefined) return null;
			return typeof value === "object" && value !== null
				? value
				: refuse(field, value);
		},
	};
}
