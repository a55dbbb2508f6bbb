import { createAuthority, issueLeaf } from "../../certificates/issue.js";
import {
	fingerprintsIn,
	forgetNext,
	putAuthorityKey,
	putBundle,
	putLeaves,
	type StoredCertificates,
	writeNextAuthority,
} from "../../certificates/store.js";
import type { CertificatesStatus } from "../../cluster/engine.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import {
	commandFor,
	lookAtCluster,
	type OperationContext,
} from "../context.js";
import type { Run } from "../operation.js";
import type { Step } from "../steps/step.js";
import { awaitUse, putOnHost, requireCertificates } from "./deliver.js";
import { nodeFaults } from "./every-node.js";
import { believes, phaseOf, shows } from "./rotation.js";
import {
	authorityWish,
	nodeWish,
	requireTls,
	roles,
	roleWish,
} from "./wishes.js";

/** The three phases, each over all nodes before the next begins. */
export function rotationSteps(
	{ context, lock }: Run,
	until: "trust" | "use" | "drop",
): readonly Step[] {
	const work: Work = { context, signal: lock.signal };
	const { nodes } = context.inventory;
	const trust = [
		newAuthority(work),
		believeBoth(work),
		...nodes.map((node) => nodeBelievesBoth(work, node)),
	];
	if (until === "trust") return trust;
	const use = [
		issueAll(work),
		...nodes.map((node) => nodeShowsNew(work, node)),
		operatorsShowNew(work),
	];
	if (until === "use") return [...trust, ...use];
	return [
		...[...trust, ...use, believeNew(work)],
		...nodes.map((node) => nodeBelievesNew(work, node)),
		forget(work),
	];
}

interface Work {
	readonly context: OperationContext;
	readonly signal: AbortSignal;
}

type Next = NonNullable<StoredCertificates["next"]>;

function directoryOf({ inventory }: OperationContext): string {
	return requireTls(inventory).directory;
}

function read({ context }: Work): Promise<StoredCertificates> {
	return requireCertificates(context.inventory);
}

async function readWithNext(
	work: Work,
): Promise<StoredCertificates & { readonly next: Next }> {
	const stored = await read(work);
	const { next } = stored;
	if (next !== null) return { ...stored, next };
	throw new OperatorError("unexpected", "the new authority is not there");
}

function step(
	id: string,
	title: string,
	parts: Omit<Step, "id" | "title" | "node" | "cost"> & {
		readonly node?: string;
	},
): Step {
	const { node = null, ...rest } = parts;
	return { ...{ id: `certs/${id}`, title, node, cost: "" }, ...rest };
}

function newAuthority(work: Work): Step {
	const { context } = work;
	return step("authority", "make a new authority", {
		isDone: async () =>
			(await read(work)).next === null ? null : "there is one",
		async run() {
			const wish = authorityWish(context.inventory, context.clock.unixMs());
			const made = await createAuthority(wish);
			await writeNextAuthority(directoryOf(context), made);
			return null;
		},
	});
}

function believeBoth(work: Work): Step {
	return step("bundle", "believe both authorities here", {
		isDone: async () => {
			const stored = await read(work);
			const phase = phaseOf(stored);
			return phase === "use" || phase === "drop" ? "both are believed" : null;
		},
		async run() {
			const { bundle, next } = await readWithNext(work);
			await putBundle(
				directoryOf(work.context),
				`${bundle}${next.certificate}`,
			);
			return "copy ca.crt to applications that verify nodes, before the next phase";
		},
	});
}

function nodeBelievesBoth(work: Work, node: NodeEntry): Step {
	return step(`${node.id}/trust`, "believe both authorities", {
		node: node.id,
		isDone: async () => {
			const { next } = await read(work);
			if (next === null) return null;
			const used = await usedBy(work, node.id);
			return used !== null && believes(used, fingerprintsIn(next.certificate))
				? "believes the new one"
				: null;
		},
		async run(signal) {
			const { bundle } = await readWithNext(work);
			const wanted = fingerprintsIn(bundle);
			await putOnHost(work.context, node, { ca: bundle });
			await awaitUse(work.context, node, {
				...{ name: `${node.id} to believe both authorities`, signal },
				uses: (certificates) => believes(certificates, wanted),
			});
			return null;
		},
	});
}

/** What a node says that it uses; null when it does not answer, or speaks no TLS. */
async function usedBy(
	work: Work,
	id: string,
): Promise<CertificatesStatus | null> {
	const facts = await lookAtCluster(work.context, work.signal);
	const found = facts.nodes.find((node) => node.id === id);
	return found?.status?.certificates ?? null;
}

function issueAll(work: Work): Step {
	const { context } = work;
	const { inventory, clock } = context;
	const missing = async () => {
		const { next } = await read(work);
		return {
			nodes: inventory.nodes.filter(({ id }) => !next?.nodes.has(id)),
			roles: roles.filter((role) => !next?.roles.has(role)),
		};
	};
	return step("issue", "issue certificates of the new authority", {
		isDone: async () => {
			const left = await missing();
			const count = left.nodes.length + left.roles.length;
			return count === 0 ? "all are issued" : null;
		},
		async run() {
			const { next } = await readWithNext(work);
			const left = await missing();
			const put = (leaves: Parameters<typeof putLeaves>[1]) =>
				putLeaves(directoryOf(context), leaves, "next");
			for (const node of left.nodes) {
				const wish = nodeWish(inventory, node, clock.unixMs());
				const leaf = await issueLeaf(next, wish);
				await put({ nodes: new Map([[node.id, leaf]]) });
			}
			for (const role of left.roles) {
				const wish = roleWish(inventory, role, clock.unixMs());
				await put({ roles: new Map([[role, await issueLeaf(next, wish)]]) });
			}
			return null;
		},
	});
}

function nodeShowsNew(work: Work, node: NodeEntry): Step {
	return step(`${node.id}/use`, "show the new certificate", {
		node: node.id,
		isDone: async () => {
			const leaf = (await read(work)).next?.nodes.get(node.id);
			if (leaf === undefined) return null;
			const used = await usedBy(work, node.id);
			return used !== null && shows(used, leaf) ? "shows it" : null;
		},
		guard: () =>
			requireAll(work, "believe the new authority", (used, next) =>
				believes(used, fingerprintsIn(next.certificate)),
			),
		async run(signal) {
			const { bundle, next } = await readWithNext(work);
			const leaf = next.nodes.get(node.id) ?? "";
			await putOnHost(work.context, node, { ca: bundle, leaf });
			await awaitUse(work.context, node, {
				...{ name: `${node.id} to show its new certificate`, signal },
				uses: (certificates) => shows(certificates, leaf),
			});
			return null;
		},
	});
}

/** Whatever signs and is shown here from now on is of the new authority. The key goes last: by it the phase is told. */
function operatorsShowNew(work: Work): Step {
	return step("operators", "show and sign with the new authority here", {
		isDone: async () =>
			phaseOf(await read(work)) === "drop" ? "it signs already" : null,
		async run() {
			const { next } = await readWithNext(work);
			const directory = directoryOf(work.context);
			await putLeaves(directory, next);
			await putAuthorityKey(directory, next.key);
			return "copy operators/*.pem to other operators' machines, before the next phase";
		},
	});
}

function believeNew(work: Work): Step {
	const { context } = work;
	return step("bundle/drop", "believe the new authority alone here", {
		isDone: async () => {
			const { bundle, next } = await read(work);
			return bundle === next?.certificate ? "the old one is forgotten" : null;
		},
		guard: () =>
			requireAll(
				work,
				"show a certificate of the new authority",
				(used, next) =>
					[...next.nodes.values()].some((leaf) => shows(used, leaf)),
			),
		async run() {
			const { next } = await readWithNext(work);
			await putBundle(directoryOf(context), next.certificate);
			return null;
		},
	});
}

function nodeBelievesNew(work: Work, node: NodeEntry): Step {
	const isDropped = (used: CertificatesStatus, { certificate }: Next) =>
		believes(used, fingerprintsIn(certificate), { only: true });
	return step(`${node.id}/drop`, "forget the old authority", {
		node: node.id,
		isDone: async () => {
			const { next } = await read(work);
			if (next === null) return null;
			const used = await usedBy(work, node.id);
			return used !== null && isDropped(used, next) ? "has forgotten it" : null;
		},
		async run(signal) {
			const { next } = await readWithNext(work);
			await putOnHost(work.context, node, { ca: next.certificate });
			await awaitUse(work.context, node, {
				...{ name: `${node.id} to forget the old authority`, signal },
				uses: (certificates) => isDropped(certificates, next),
			});
			return null;
		},
	});
}

function forget(work: Work): Step {
	return step("forget", "the rotation is over", {
		isDone: async () =>
			(await read(work)).next === null ? "it is over" : null,
		async run() {
			await forgetNext(directoryOf(work.context));
			return null;
		},
	});
}

/** Asked afresh, of every member: one that is left behind would be cut off from the others. */
async function requireAll(
	work: Work,
	what: string,
	holds: (used: CertificatesStatus, next: Next) => boolean,
): Promise<void> {
	const { context, signal } = work;
	const { next } = await readWithNext(work);
	const problems = nodeFaults(
		await lookAtCluster(context, signal),
		(id, used) => (holds(used, next) ? null : `${id} does not ${what} yet`),
	);
	if (problems.length === 0) return;
	throw new OperatorError("refused", `not every node is known to ${what}`, {
		problems,
		next: `start what is down (${commandFor(context, "up")}), then ${commandFor(context, "operation resume")}`,
	});
}
