import type { Lab } from "../lab.js";
import { balancerHost } from "../names.js";

/** The same three machines for all. */
export const places = [
	{ id: "n1", host: "h1" },
	{ id: "n2", host: "h2" },
	{ id: "n3", host: "h3" },
] as const;

/** What each write brings. */
export const value = "x".repeat(256);

export function front(lab: Lab): string {
	return `${lab.address(balancerHost)}:8080`;
}
