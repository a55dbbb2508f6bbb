import type { Message } from "../../../src/raft/types.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

/**
 * What a question goes by names one question: an answer that was meant for a node's life before a restart must not fit
 * one of this life (P34, P41).
 */
export class QuestionRules {
	/** By node and question: the life in which it was asked. */
	readonly #lives = new Map<SimNode, Map<string, number>>();

	said(node: SimNode, message: Message): void {
		if (message.type === "vote-request")
			this.#asked(node, `campaign ${message.attempt}`);
		else if (message.type === "read-request")
			this.#asked(node, `read ${message.sequence}`);
	}

	#asked(node: SimNode, name: string): void {
		const lives = this.#lives.get(node) ?? new Map<string, number>();
		this.#lives.set(node, lives);
		const life = lives.get(name) ?? node.epoch;
		demand(
			life === node.epoch,
			"question-reused",
			() => `${node.id} asks again as ${name}, as it did before a restart`,
		);
		lives.set(name, life);
	}
}
