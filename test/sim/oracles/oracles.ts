import type {
	Configuration,
	Entry,
	Message,
	Status,
} from "../../../src/raft/types.js";
import type { Coverage } from "../coverage.js";
import { MembershipWatch } from "../membership-watch.js";
import type { SimNode } from "../node.js";
import type { WorldOptions } from "../options.js";
import type { SnapshotFile } from "../snapshot-file.js";
import { CampaignRules } from "./campaign-rules.js";
import { Committed } from "./committed.js";
import { ConfigurationRules } from "./configuration-rules.js";
import { CurrentRules } from "./current-rules.js";
import { LeaderRules } from "./leader-rules.js";
import { LogOracle } from "./log-oracle.js";
import { Memberships } from "./memberships.js";
import { PromiseOracle } from "./promise-oracle.js";
import { QuestionRules } from "./question-rules.js";
import { RetentionRules } from "./retention-rules.js";
import { RoundRules } from "./round-rules.js";
import { SessionRules } from "./session-rules.js";
import { SnapshotRules } from "./snapshot-rules.js";
import { StateOracle } from "./state-oracle.js";
import { VoteRules } from "./vote-rules.js";

/** All rules of section 3.3 that apply now, but for those of clients, which workload.ts keeps. */
export class Oracles {
	readonly committed: Committed;
	readonly log: LogOracle;
	readonly memberships: Memberships;
	readonly sessions: SessionRules;
	readonly campaigns: CampaignRules;
	readonly watch: MembershipWatch;
	readonly leaders: LeaderRules;
	readonly retention: RetentionRules;
	readonly rounds = new RoundRules();
	readonly #current: CurrentRules;
	readonly #questions = new QuestionRules();
	readonly #snapshots: SnapshotRules;
	readonly #promises: PromiseOracle;
	readonly #votes: VoteRules;
	readonly #state: StateOracle;

	constructor(options: {
		readonly nodes: readonly SimNode[];
		readonly byId: ReadonlyMap<string, SimNode>;
		readonly founding: Configuration;
		readonly coverage: Coverage;
		readonly options: WorldOptions;
		/** The world's time. */
		readonly nowMs: () => number;
		readonly onCommitted: (entry: Entry) => void;
	}) {
		const { coverage, byId, founding } = options;
		const current = new CurrentRules(options.nowMs);
		this.#current = current;
		const memberships = new Memberships(founding);
		this.memberships = memberships;
		this.watch = new MembershipWatch(coverage);
		this.campaigns = new CampaignRules(this.watch);
		this.committed = new Committed((entry) => {
			current.committed();
			memberships.committedEntry(entry);
			options.onCommitted(entry);
		});
		const { committed } = this;
		this.#votes = new VoteRules(options.options.electionTimeoutMs);
		const configurations = new ConfigurationRules(byId, coverage);
		this.log = new LogOracle({
			...{ committed, coverage, memberships, configurations },
		});
		this.sessions = new SessionRules(coverage);
		this.leaders = new LeaderRules(options.options);
		this.retention = new RetentionRules(options.options);
		this.#snapshots = new SnapshotRules(committed, this.log);
		this.#promises = new PromiseOracle({
			...options,
			committed,
		});
		this.#state = new StateOracle({
			...options,
			committed,
			...{ promises: this.#promises, watch: this.watch },
		});
	}

	snapshotTaken(node: SimNode, file: SnapshotFile): void {
		this.#snapshots.taken(node, file);
	}

	snapshotRestored(node: SimNode, file: SnapshotFile): void {
		this.#snapshots.restored(node, file);
	}

	started(node: SimNode): void {
		this.#votes.restarted(node);
		this.leaders.restarted(node);
		this.rounds.restarted(node);
		this.watch.started(node);
		this.#state.started(node);
	}

	observe(node: SimNode, status: Status): void {
		this.#state.observe(node, status);
		this.leaders.observe(node, status);
	}

	released(node: SimNode, message: Message): void {
		this.#promises.released(node, message);
	}

	/** The core says something, now or once the disk is ready. */
	said(node: SimNode, message: Message): void {
		this.#votes.said(node, message);
		this.rounds.said(node, message);
		this.#current.said(node, message);
		this.#questions.said(node, message);
		this.watch.said(node, message);
	}

	arriving(node: SimNode, message: Message): void {
		this.#promises.delivered(node, message);
		this.#votes.arriving(node, message);
		this.leaders.arriving(node, message);
		this.rounds.arriving(node, message);
		this.watch.arriving(node, message);
	}

	handled(node: SimNode, message: Message, termBefore: number): void {
		this.#votes.handled(node, message, termBefore);
	}
}
