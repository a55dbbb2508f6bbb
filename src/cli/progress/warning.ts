import type { OperationEvent } from "../../operations/events.js";

/** A warning that stands alone, outside an operation's steps. */
export function warningText({
	node,
	message,
}: Extract<OperationEvent, { readonly type: "warning" }>): string {
	return `Warning: ${node === null ? "" : `${node}: `}${message}\n`;
}
