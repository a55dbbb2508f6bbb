import type { Message, NodeId } from "../../src/raft/types.js";
import type { Filter } from "./stage.js";

const kinds: Record<string, Message["type"]> = {
	vote: "vote-request",
	"vote-answer": "vote-response",
	append: "append-request",
	"append-answer": "append-response",
	heartbeat: "heartbeat",
	"heartbeat-answer": "heartbeat-response",
	offer: "snapshot-offer",
	"campaign-now": "timeout-now",
	"read-request": "read-request",
	"read-answer": "read-response",
};

/** `n1->n2`, `n1->*`, and kinds of messages; a message fits when it fits one of each. Nothing: every message. */
export function selection(words: readonly string[]): Filter {
	const routes = words.filter((word) => word.includes("->"));
	const types = words
		.filter((word) => !word.includes("->"))
		.map((word) => {
			const type = kinds[word];
			if (type === undefined) throw new Error(`no kind of message: ${word}`);
			return type;
		});
	return (message) =>
		(routes.length === 0 || routes.some((route) => goes(message, route))) &&
		(types.length === 0 || types.includes(message.type));
}

function goes({ from, to }: Message, route: string): boolean {
	const [source, target] = route.split("->");
	return fits(from, source) && fits(to, target);
}

function fits(id: NodeId, name: string | undefined): boolean {
	return name === "*" || name === id;
}
