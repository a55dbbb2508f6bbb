import type { Message, Status } from "../../../src/raft/types.js";
import type { Coverage } from "../coverage.js";
import type { SimNode } from "../node.js";
import type { WorldOptions } from "../options.js";
import { Committed } from "./committed.js";
import { LogOracle } from "./log-oracle.js";
import { PromiseOracle } from "./promise-oracle.js";
import { StateOracle } from "./state-oracle.js";
import { VoteRules } from "./vote-rules.js";

/** All rules of section 3.3 that apply now, but for those of clients, which workload.ts keeps. */
export class Oracles {
	readonly committed: Committed;
	readonly log: LogOracle;
	readonly #promises: PromiseOracle;
	readonly #votes: VoteRules;
	readonly #state: StateOracle;

	constructor(options: {
		readonly nodes: readonly SimNode[];
		readonly coverage: Coverage;
		readonly options: WorldOptions;
		readonly onCommand: (token: number, index: number) => void;
	}) {
		const { coverage } = options;
		this.committed = new Committed(options.onCommand);
		this.#votes = new VoteRules(options.options.electionTimeoutMs);
		this.log = new LogOracle(this.committed, coverage);
		this.#promises = new PromiseOracle({
			...options,
			committed: this.committed,
		});
		this.#state = new StateOracle({
			...options,
			committed: this.committed,
			promises: this.#promises,
		});
	}

	started(node: SimNode): void {
		this.#votes.restarted(node);
		this.#state.started(node);
	}

	observe(node: SimNode, status: Status): void {
		this.#state.observe(node, status);
	}

	released(node: SimNode, message: Message): void {
		this.#promises.released(node, message);
	}

	/** The core says something, now or once the disk is ready. */
	said(node: SimNode, message: Message): void {
		this.#votes.said(node, message);
	}

	arriving(node: SimNode, message: Message): void {
		this.#promises.delivered(node, message);
		this.#votes.arriving(node, message);
	}

	handled(node: SimNode, message: Message, termBefore: number): void {
		this.#votes.handled(node, message, termBefore);
	}
}
