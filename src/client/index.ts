export type { Ack, Consistency, FailureReason } from "../wire/client-frames.js";
export type { Transport } from "./connection.js";
export type { ClientTls, ClientTlsSource } from "./door.js";
export {
	EventsGoneError,
	NotDoneError,
	type NotDoneReason,
	OutcomeUnknownError,
	type UnknownReason,
} from "./failures.js";
export {
	connectKeyValue,
	type KeyValueChange,
	type KeyValueClient,
	keyValueOver,
	type WatchOptions,
} from "./kv.js";
export {
	type CommandOptions,
	type ConnectOptions,
	connectRaft,
	type QueryOptions,
	type RaftClient,
} from "./raft-client.js";
export type { Answer } from "./request.js";
export type { SubscribeOptions, Subscription } from "./subscription.js";
