import type { Role } from "../../../wire/certificate-names.js";
import { AdminService } from "../../../wire/gen/raftctl/admin/v1/admin_pb.js";

/**
 * The role that a request needs; null for one that anybody may make: balancers and Kubernetes ask for readiness without a
 * certificate. What is not known here needs the highest.
 */
export function needOf(path: string): Role | null {
	const [, root = "", name = ""] = path.split("/");
	if (root === AdminService.typeName) return methodNeeds.get(name) ?? "admin";
	return Object.hasOwn(pathNeeds, root) ? (pathNeeds[root] ?? null) : "admin";
}

const pathNeeds: Readonly<Record<string, Role | null>> = {
	livez: null,
	readyz: null,
	"grpc.health.v1.Health": null,
	metrics: "observer",
	// All that the cluster holds.
	snapshots: "operator",
};

/**
 * An operator rolls, drains and repairs. Who belongs to the cluster, what it may write for good, and a schedule, which
 * runs a command on every machine, are an admin's.
 */
const needs: Record<keyof typeof AdminService.method, Role> = {
	getStatus: "observer",
	getReadIndex: "observer",
	listOperations: "observer",
	listSnapshots: "observer",
	drain: "operator",
	undrain: "operator",
	transferLeadership: "operator",
	acquireLock: "operator",
	renewLock: "operator",
	releaseLock: "operator",
	takeSnapshot: "operator",
	clearAlarm: "operator",
	writeOperation: "operator",
	pauseOperation: "operator",
	reloadCertificates: "operator",
	changeMembership: "admin",
	setWriteLevel: "admin",
	setSnapshotSchedule: "admin",
};

const methodNeeds = new Map(
	Object.entries(AdminService.method).map(([key, { name }]) => [
		name,
		needs[key as keyof typeof needs],
	]),
);
