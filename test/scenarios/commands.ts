import { bootstrapHardState } from "../../src/raft/bootstrap.js";
import type { RaftOptions } from "../../src/raft/types.js";
import { heartbeatIntervalMs, type TinyNode } from "../raft/cluster.js";
import { entriesOf } from "../raft/tiny-disk.js";
import { expectation } from "./expectations.js";
import { parseChange } from "./member-changes.js";
import { selection } from "./selections.js";
import type { Stage } from "./stage.js";
import { configurationText, messageLine, placesOf, roleText } from "./words.js";

type Command = (stage: Stage, words: readonly string[]) => void;

/** The language of the scenarios. Every command ends with what it does, in its own words. */
const commands: Record<string, Command> = {
	/** set maxInflightMessages 2: before `nodes`. */
	set: (stage, [name, value]) => {
		stage.settings[name as keyof RaftOptions] = Number(value);
	},
	/** nodes 3 · nodes 3 learners 1: founds a cluster of n1, n2, ... */
	nodes: (stage, [voters, , learners]) =>
		stage.found(Number(voters), Number(learners ?? 0)),
	/** join n4: starts a node with an empty disk. */
	join: (stage, [id = ""]) =>
		stage.add(id, {
			hardState: { ...bootstrapHardState, term: 0, commit: 0 },
			entries: [],
		}),
	/** log n2 1 1 4 4 term 5: n2 starts with these terms, and a later term when given. Without terms: prints. */
	log,
	/** quietly settle: any command, without its messages and appends. */
	quietly: (stage, words) => {
		stage.quiet = true;
		run(stage, words);
		stage.quiet = false;
	},

	/** elapse 300 · elapse n1 n2 300: time goes by and nothing is delivered. */
	elapse: (stage, words) => stage.elapse(some(stage, words), ms(words)),
	/** pass 300 · pass n1 n2 300: time goes by and everything is delivered. */
	pass: (stage, words) => {
		for (let left = ms(words); left > 0; left -= heartbeatIntervalMs) {
			stage.elapse(some(stage, words), Math.min(left, heartbeatIntervalMs));
			stage.settle();
		}
	},
	/** campaign n1: time goes by for n1 until it campaigns. */
	campaign: (stage, [id]) => campaign(stage, stage.live(id)),
	/** elect n1: nobody has heard a leader for an election timeout, n1 campaigns, and everything is delivered. */
	elect: (stage, [id]) => {
		const node = stage.live(id);
		const others = stage.running.filter((other) => other !== node);
		stage.elapse(others, 1000);
		campaign(stage, node);
		stage.settle();
	},

	/** deliver n1->n2 append · deliver: once; what that sends stays on the wire. */
	deliver: (stage, words) => {
		stage.deliver(selection(words));
	},
	/** settle: delivers until nothing is on the wire. */
	settle: (stage) => stage.settle(),
	drop: (stage, words) => {
		stage.say(`lost: ${stage.take(selection(words)).length}`);
	},
	/** hold n2->n1: takes messages off the wire, for `release`. */
	hold: (stage, words) => {
		stage.held.push(...stage.take(selection(words)));
	},
	/** copy n2->n1: like hold, but leaves them on the wire as well. */
	copy: (stage, words) => {
		stage.held.push(...stage.wire.filter(selection(words)));
	},
	/** release: delivers what was held, once. */
	release: (stage) => {
		const others = stage.take(() => true);
		stage.wire = stage.held;
		stage.held = [];
		const due = new Set(stage.wire);
		stage.deliver((message) => due.has(message));
		stage.wire.unshift(...others);
	},
	/** cut n3->* *->n3: what goes this way is lost from now on. cut nothing: all links work again. */
	cut: (stage, words) => {
		const none = words[0] === "nothing";
		stage.cut = none ? () => false : selection(words);
	},
	wire: (stage) => {
		for (const message of stage.wire) stage.say(messageLine(message));
	},

	/** slow n1: writes are durable only when `sync` says so. */
	slow: (stage, [id]) => {
		stage.live(id).sync = false;
	},
	/** sync n1 · sync n1 2: all writes under way, or the oldest two, are durable. */
	sync: (stage, [id, count]) =>
		stage.live(id).syncNow(count === undefined ? undefined : Number(count)),
	fast: (stage, [id]) => {
		stage.live(id).sync = true;
		stage.live(id).syncNow();
	},
	crash: (stage, [id]) => {
		stage.down.add(stage.live(id).id);
		stage.node(id).sync = true;
	},
	start: (stage, [id = ""]) => stage.start(id),
	restart: (stage, [id = ""]) => stage.start(id),
	/** forget n2 3: the disk of n2, which is down, loses all behind index 3. */
	forget: (stage, [id, last]) => {
		const { disk } = stage.node(id);
		disk.entries = entriesOf(disk, 1, Number(last));
	},

	propose: (stage, [id, count]) => {
		const first = stage.tokens + 1;
		const sizes = Array.from({ length: Number(count ?? 1) }, () => 1);
		stage.tokens += sizes.length;
		const refusal = stage.live(id).propose(first, ...sizes);
		if (refusal !== null)
			stage.say(`${id} proposal ${first} refused: ${refusal}`);
	},
	read: (stage, [id]) =>
		act(stage.live(id), (node) => node.raft.readIndex(++stage.tokens)),
	/** transfer n1 n2 · transfer n1: to whom it sees fit. */
	transfer: (stage, [id, to]) =>
		act(stage.live(id), (node) =>
			node.raft.transferLeadership(to ?? null, ++stage.tokens),
		),
	/** change n1 add n4, promote n4; waive catch-up; seen 5 */
	change: (stage, [id, ...words]) =>
		act(stage.live(id), (node) =>
			node.raft.changeConfiguration(
				parseChange(words.join(" ")),
				++stage.tokens,
			),
		),
	lease: (stage, [id, later]) => {
		const node = stage.live(id);
		const holds = node.raft.holdsLease(node.nowMs + Number(later ?? 0));
		stage.say(`${id} ${holds ? "holds" : "does not hold"} a lease`);
	},

	snapshot: (stage, [id, index]) => {
		const point = stage.live(id).snapshot(Number(index));
		stage.snapshots.set(`${id} ${index}`, point);
		const { configuration } = point.configuration;
		stage.say(
			`${id} has a snapshot ${index}@${point.term} of ${configurationText(configuration)}`,
		);
	},
	compact: (stage, [id, index]) => stage.live(id).compact(Number(index)),
	needed: (stage, [id]) =>
		stage.say(`${id} is needed from ${stage.live(id).raft.neededFrom()}`),
	/** install n2 · install n2 n1 10: the snapshot that it asked for, or this one, has come. */
	install: (stage, words) => {
		const node = stage.live(words[0]);
		const used = node.install(snapshotFor(stage, words));
		if (!used) stage.say(`${node.id} has no use for the snapshot`);
	},
	/** fetch n2: the snapshot is on its disk, and n2 crashes before anything follows from it. */
	fetch: (stage, words) => {
		const node = stage.live(words[0]);
		node.disk.snapshot = snapshotFor(stage, words);
		stage.down.add(node.id);
	},
	unreachable: (stage, [id, other = ""]) =>
		act(stage.live(id), (node) => node.raft.unreachable(other)),
	/** distrust n1 n3: n1 learns that n3 lost what it had acknowledged. */
	distrust: (stage, [id, ...others]) =>
		act(stage.live(id), (node) => node.raft.distrust(new Set(others))),

	/** state · state n1 */
	state: (stage, words) => {
		for (const node of some(stage, words)) state(stage, node);
	},
	followers: (stage, [id]) => {
		for (const one of stage.live(id).raft.status().followers)
			stage.say(
				`${one.id} ${one.state} match ${one.match} next ${one.next}${one.counted ? "" : ", not counted"}`,
			);
	},
	/** expect leader n1 term 2: says nothing when it holds. See expectations.ts. */
	expect: expectation,
};

export function perform(stage: Stage, command: string): string[] {
	run(stage, command.split(/\s+/));
	return stage.report();
}

function run(stage: Stage, [name = "", ...words]: readonly string[]): void {
	const command = commands[name];
	if (command === undefined) throw new Error(`no such command: ${name}`);
	command(stage, words);
}

function act(node: TinyNode, input: (node: TinyNode) => void): void {
	input(node);
	node.run();
}

/** The nodes that are named, or all. */
function some(stage: Stage, words: readonly string[]): TinyNode[] {
	const named = words.filter((word) => word.startsWith("n"));
	if (named.length === 0) return [...stage.nodes.values()];
	return named.map((id) => stage.node(id));
}

function ms(words: readonly string[]): number {
	const value = Number(words.at(-1));
	if (!(value > 0)) throw new Error(`no milliseconds: ${words.at(-1)}`);
	return value;
}

function campaign(stage: Stage, node: TinyNode): void {
	const asked = () =>
		stage.wire.filter(
			({ type, from }) => type === "vote-request" && from === node.id,
		).length;
	for (let beats = 0; beats < 25; beats++) {
		const before = { asked: asked(), role: node.role };
		stage.elapse([node], heartbeatIntervalMs);
		if (asked() > before.asked) return;
		if (node.role !== before.role && node.role !== "follower") return;
	}
	throw new Error(`${node.id} does not campaign`);
}

function log(stage: Stage, [id, ...words]: readonly string[]): void {
	if (words.length === 0) {
		for (const node of id === undefined
			? stage.nodes.values()
			: [stage.node(id)])
			stage.say(`${node.id} ${placesOf(node.disk.entries) || "holds nothing"}`);
		return;
	}
	const at = words.indexOf("term");
	const terms = (at < 0 ? words : words.slice(0, at)).map(Number);
	const term = at < 0 ? (terms.at(-1) ?? 1) : Number(words[at + 1]);
	stage.giveLog(id ?? "", terms, term);
}

function snapshotFor(stage: Stage, [id, from, index]: readonly string[]) {
	const { download } = stage.node(id);
	const key = `${from ?? download?.from} ${index ?? download?.index}`;
	const point = stage.snapshots.get(key);
	if (point === undefined) throw new Error(`nobody has the snapshot ${key}`);
	return point;
}

function state(stage: Stage, node: TinyNode): void {
	if (stage.down.has(node.id)) {
		stage.say(`${node.id} is down`);
		return;
	}
	const now = node.raft.status();
	stage.say(
		`${now.id} ${roleText(now)} in term ${now.term}, log ${now.firstIndex} to ${now.lastIndex}@${now.lastTerm}, commit ${now.commit}, members ${configurationText(now.configuration)}`,
	);
}
