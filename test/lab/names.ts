import { OperatorError } from "../../src/errors.js";

export const nodeHosts = ["h1", "h2", "h3", "h4", "h5"] as const;
export const balancerHost = "lb";
export const allHosts = [...nodeHosts, balancerHost] as const;
export type HostName = (typeof allHosts)[number];

/** The last part of their addresses. This machine has 1. */
export const hostNumbers: Readonly<Record<HostName, number>> = {
	...{ h1: 11, h2: 12, h3: 13, h4: 14, h5: 15 },
	lb: 20,
};

export interface LabName {
	/** Bridge, control groups and machines are named after it; at most 8 letters. */
	readonly name: string;
	/** The first three parts of its addresses. */
	readonly subnet: string;
}

export const usualLab: LabName = { name: "raftlab", subnet: "10.77.0" };

/** "NAME,SUBNET" of another lab than the usual one, so that two can be up: "labtest,10.78.0". */
export function labNamed(text: string | undefined): LabName {
	if (text === undefined) return usualLab;
	const [, name, subnet] =
		/^([a-z]{1,8}),((?:\d{1,3}\.){2}\d{1,3})$/.exec(text) ?? [];
	if (name !== undefined && subnet !== undefined) return { name, subnet };
	throw new OperatorError(
		"usage",
		`"${text}" is not a lab's name and subnet, such as labtest,10.78.0`,
	);
}
