import type { OperationContext } from "../../src/operations/context.js";

export interface Mortal {
	readonly context: OperationContext;
	/** As SIGKILL: from now on nothing that it does reaches anything, and nothing is undone. */
	kill(): void;
}

/** The same context in the hands of a process that can be killed. What it awaits then never comes. */
export function mortal(context: OperationContext): Mortal {
	let killed = false;
	const never = new Promise<never>(() => {});
	const guard = <Part extends object>(part: Part): Part =>
		new Proxy(part, {
			get(target, name) {
				const member: unknown = Reflect.get(target, name, target);
				if (typeof member !== "function") return member;
				return (...given: unknown[]) => {
					if (killed) return never;
					const result: unknown = member.apply(target, given);
					if (!(result instanceof Promise)) return result;
					return result.then(
						(value) => (killed ? never : isPart(value) ? guard(value) : value),
						(error: unknown) => (killed ? never : Promise.reject(error)),
					);
				};
			},
		});
	return {
		context: {
			...context,
			engine: guard(context.engine),
			machines: guard(context.machines),
			balancer: context.balancer === null ? null : guard(context.balancer),
			clock: guard(context.clock),
			holder: { holder: "bob@desk:2", host: "desk" },
			emit: (event) => {
				if (!killed) context.emit(event);
			},
		},
		kill: () => {
			killed = true;
		},
	};
}

/** Hosts and services: they act, too. */
function isPart(value: unknown): value is object {
	return (
		typeof value === "object" &&
		value !== null &&
		Object.values(value).some((member) => typeof member === "function")
	);
}
