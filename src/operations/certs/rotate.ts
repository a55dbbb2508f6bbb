import { fingerprintsIn } from "../../certificates/store.js";
import { OperatorError, reworded, wayOnOf } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import type {
	Operation,
	OperationOptions,
	OperationReport,
	Own,
} from "../operation.js";
import type { PlanReport } from "../plan.js";
import { planOperation, runOperation } from "../run-operation.js";
import { requireCertificates } from "./deliver.js";
import { requireAllToAnswer } from "./every-node.js";
import { keyMissing } from "./renew.js";
import { type Phase, phaseOf } from "./rotation.js";
import { rotationSteps } from "./rotation-steps.js";
import { requireTls } from "./wishes.js";

export interface RotateWish {
	/** The last phase to be gone through: applications may have to learn of the new authority in between. */
	readonly until: "trust" | "use" | "drop";
}

/** What `raftctl certs rotate --json` prints. */
export interface RotateReport extends OperationReport {
	readonly until: RotateWish["until"];
	/** "steady" once the old authority is forgotten. */
	readonly phase: Phase;
}

/** The signing authority when the rotation began: another one means that it is over. */
interface RotateMemo {
	readonly old: string;
}

/** Replaces the authority, as far as wished for. */
export function rotateCertificates(
	context: OperationContext,
	wish: RotateWish,
	options: OperationOptions,
): Promise<RotateReport> {
	return runOperation(context, () => rotateOperation(wish), options);
}

/** What `rotateCertificates` would do now, or the refusal it would end with. Touches nothing. */
export function planRotation(
	context: OperationContext,
	wish: RotateWish,
): Promise<PlanReport> {
	return planOperation(context, rotateOperation(wish));
}

/**
 * Replaces the authority: every node believes both, then every node shows what the new one has issued, then the old one
 * is forgotten. No node is restarted, and no connection that stands is cut. What is left to do follows from the files
 * and from what the nodes say that they use.
 */
export function rotateOperation(
	wish: RotateWish,
): Operation<Own<RotateReport>> {
	return {
		name: "certs rotate",
		text: `certs rotate${wish.until === "drop" ? "" : ` --until ${wish.until}`}`,
		arguments: wish,
		skip: [],
		async prepare(context) {
			const { inventory } = context;
			const { directory } = requireTls(inventory);
			const stored = await requireCertificates(inventory);
			const { authority, bundle, next } = stored;
			if (authority === null) throw keyMissing(directory);
			await requireAllToAnswer(context);
			const [signs = ""] = fingerprintsIn(authority.certificate);
			const coming = next === null ? [] : fingerprintsIn(next.certificate);
			const old = coming.includes(signs)
				? fingerprintsIn(bundle).find((one) => one !== signs)
				: signs;
			return { old: old ?? "" } satisfies RotateMemo;
		},
		async steps(run) {
			const { inventory } = run.context;
			const stored = await requireCertificates(inventory);
			const { authority } = stored;
			// Without the key, a copy of the directory looks like a rotation that is over.
			if (authority === null) throw keyMissing(requireTls(inventory).directory);
			const { old } = run.memo as RotateMemo;
			const [signs] = fingerprintsIn(authority.certificate);
			const isOver = phaseOf(stored) === "steady" && signs !== old;
			return isOver ? [] : rotationSteps(run, wish.until);
		},
		// Every state in between is a valid one: whoever is believed stays believed until all use the new authority.
		abortSteps: async () => [],
		async report({ context: { inventory } }) {
			const stored = await requireCertificates(inventory);
			return { until: wish.until, phase: phaseOf(stored) };
		},
		failure: ({ context }, cause) => {
			const known = cause instanceof OperatorError ? cause : null;
			const state = [
				...(known?.state === undefined ? [] : [known.state]),
				"every node believes every certificate that is in use; nothing is lost",
			].join("; ");
			if (known?.next !== undefined)
				return reworded(known, { ...wayOnOf(known), state });
			return new OperatorError(
				known?.kind === "unreachable" || known === null
					? "partial"
					: known.kind,
				cause instanceof Error ? cause.message : String(cause),
				{
					...(known?.node === undefined ? {} : { node: known.node }),
					problems: known?.problems ?? [],
					...{ state, cause },
					next: `${commandFor(context, "operation resume")} goes on where it stopped`,
				},
			);
		},
	};
}
