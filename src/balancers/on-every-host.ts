import { OperatorError, reasonOf } from "../errors.js";

/**
 * Does the same on every host at once and waits for all. Throws the failure of a single one as it is, several as one that
 * names them all.
 */
export async function onEveryHost<Result>(
	hosts: readonly string[],
	work: (host: string) => Promise<Result>,
): Promise<Result[]> {
	const outcomes = await Promise.allSettled(hosts.map(work));
	const failures = outcomes.flatMap((outcome) =>
		outcome.status === "rejected" ? [outcome.reason as unknown] : [],
	);
	if (failures.length === 0)
		return outcomes.flatMap((outcome) =>
			outcome.status === "fulfilled" ? [outcome.value] : [],
		);
	const [first] = failures;
	if (failures.length === 1 || !(first instanceof OperatorError)) throw first;
	throw new OperatorError(
		first.kind,
		`${failures.length} of ${hosts.length} balancers: ${first.message}`,
		{
			problems: failures.map(reasonOf),
			...(first.state === undefined ? {} : { state: first.state }),
			...(first.next === undefined ? {} : { next: first.next }),
			cause: first,
		},
	);
}
