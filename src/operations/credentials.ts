import { bundleReader, operatorMaterial } from "../certificates/operator.js";
import type { ClientTls } from "../client/index.js";
import type { OperatorCredentials } from "../cluster/admin-door.js";
import type { Inventory } from "../config/inventory.js";

/** What this operator shows to nodes and whom he believes; null where nodes speak plain text. */
export function operatorCredentials({
	tls,
	id,
}: Pick<Inventory, "tls" | "id">): OperatorCredentials | null {
	if (tls === null) return null;
	return { clusterId: id, current: operatorMaterial(tls) };
}

/** How to speak to client ports, and to the balancer before them; undefined for plain text. */
export function clientTls({
	tls,
}: Pick<Inventory, "tls">): (() => ClientTls) | undefined {
	if (tls === null) return undefined;
	const ca = bundleReader(tls.directory);
	if (tls.clientCertificates === "none") return () => ({ ca: ca() });
	const material = operatorMaterial({ ...tls, tokenFile: null });
	return () => {
		const { identity } = material();
		return {
			ca: ca(),
			...(identity === null ? {} : { cert: identity, key: identity }),
		};
	};
}
