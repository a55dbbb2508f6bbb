/** What a check found on a host; what is as it should be is no finding. */
export interface Finding {
	/** problem: a deploy, or the nodes, will fail by it. warning: they will do badly. note: it is not known. */
	readonly severity: "problem" | "warning" | "note";
	/** Null where it is about no single host. */
	readonly host: string | null;
	readonly check: Check;
	readonly what: string;
	readonly remedy: string;
}

export const checks = [
	...(["ssh", "clock", "system", "memory", "space", "disk"] as const),
	...(["sudo", "port", "network", "place", "certificates"] as const),
] as const;
type Check = (typeof checks)[number];
