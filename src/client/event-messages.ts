/** Reads one text message of /v1/events; null for what is none. Answers to requests are nothing to a subscription. */
export function parseEventMessage(text: string): EventMessage | null {
	try {
		const message = JSON.parse(text);
		switch (message?.type) {
			case "events":
				return isRun(message.events) ? message : null;
			case "progress":
				return Number.isSafeInteger(message.index) ? message : null;
			default:
				return typeof message?.type === "string" ? { type: "other" } : null;
		}
	} catch {
		return null;
	}
}

export interface IndexedEvent {
	readonly index: number;
	readonly event: unknown;
}

type EventMessage =
	| { readonly type: "events"; readonly events: readonly IndexedEvent[] }
	| { readonly type: "progress"; readonly index: number }
	| { readonly type: "other" };

function isRun(events: unknown): boolean {
	if (!Array.isArray(events) || events.length === 0) return false;
	return events.every((event) => Number.isSafeInteger(event?.index));
}
