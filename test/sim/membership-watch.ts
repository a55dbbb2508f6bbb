import { isJoint, isVoter } from "../../src/raft/configurations.js";
import { majority } from "../../src/raft/quorum.js";
import type {
	Configuration,
	Message,
	NodeId,
	Status,
} from "../../src/raft/types.js";
import type { Coverage } from "./coverage.js";
import type { SimNode } from "./node.js";

/** Who granted a campaign in a joint configuration, the candidate included. */
interface JointCampaign {
	readonly attempt: number;
	readonly configuration: Configuration;
	readonly granted: Set<NodeId>;
}

/** Counts what happens while a configuration is joint, and to those who are no voters: it judges nothing. */
export class MembershipWatch {
	readonly #coverage: Coverage;
	readonly #campaigns = new Map<SimNode, JointCampaign>();

	constructor(coverage: Coverage) {
		this.#coverage = coverage;
	}

	/** A follower has begun to campaign. */
	campaigned(node: SimNode, { configuration }: Status): void {
		if (isJoint(configuration)) this.#coverage.jointCampaigns++;
		if (!isVoter(configuration, node.id))
			this.#coverage.formerVotersCampaigned++;
	}

	/** A learner campaigns because it holds more than who asked it. */
	stoodIn(): void {
		this.#coverage.learnersCampaigned++;
	}

	elected({ id }: SimNode, { configuration }: Status): void {
		const { voters, outgoing, learners } = configuration;
		if (learners.includes(id)) this.#coverage.learnersElected++;
		else if (!isVoter(configuration, id)) this.#coverage.formerVotersElected++;
		if (!isJoint(configuration)) return;
		this.#coverage.jointElections++;
		if (!voters.includes(id)) this.#coverage.jointElectionsOfOutgoing++;
		if (!outgoing.includes(id)) this.#coverage.jointElectionsOfIncoming++;
	}

	/** A leader has ended its own leadership. */
	steppedDown({ configuration }: Status): void {
		if (isJoint(configuration)) this.#coverage.jointStepDowns++;
	}

	transferred(node: SimNode): void {
		if (isJoint(configurationOf(node))) this.#coverage.jointTransfersDone++;
	}

	crashed(node: SimNode): void {
		const configuration = configurationOf(node);
		if (configuration.learners.includes(node.id))
			this.#coverage.learnersCrashed++;
		if (!isJoint(configuration)) return;
		this.#coverage.jointCrashes++;
		if (node.seen?.role === "leader") this.#coverage.jointLeaderCrashes++;
	}

	started(node: SimNode): void {
		this.#campaigns.delete(node);
		if (isJoint(configurationOf(node))) this.#coverage.jointRestarts++;
	}

	said(node: SimNode, message: Message): void {
		const configuration = configurationOf(node);
		if (message.type === "timeout-now" && isJoint(configuration))
			this.#coverage.jointTransfers++;
		else if (message.type === "vote-request")
			this.#asked(node, message.attempt, configuration);
		else if (
			message.type === "vote-response" &&
			message.granted &&
			!message.pre &&
			!isVoter(configuration, node.id)
		)
			this.#coverage.learnersVoted++;
	}

	arriving(node: SimNode, message: Message): void {
		if (message.type === "timeout-now") {
			if (!isVoter(configurationOf(node), node.id))
				this.#coverage.learnersAskedToCampaign++;
		} else if (message.type === "vote-response" && message.granted) {
			const campaign = this.#campaigns.get(node);
			if (campaign?.attempt === message.attempt)
				campaign.granted.add(message.from);
		}
	}

	/** A new campaign: the one before has come to nothing, or to the pre-vote that was wanted. */
	#asked(node: SimNode, attempt: number, configuration: Configuration): void {
		const before = this.#campaigns.get(node);
		if (before?.attempt === attempt) return;
		if (before !== undefined && isHalfWon(before))
			this.#coverage.jointHalvesWon++;
		if (isJoint(configuration))
			this.#campaigns.set(node, {
				...{ attempt, configuration },
				granted: new Set([node.id]),
			});
		else this.#campaigns.delete(node);
	}
}

/** By the log as the node has handed it to its disk. */
function configurationOf({ handed }: SimNode): Configuration {
	return handed.configuration.configuration;
}

function isHalfWon({ configuration, granted }: JointCampaign): boolean {
	const { voters, outgoing } = configuration;
	const isWon = (half: readonly NodeId[]) =>
		half.filter((id) => granted.has(id)).length >= majority(half.length);
	return isWon(voters) !== isWon(outgoing);
}
