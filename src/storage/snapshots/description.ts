import { decodeConfiguration, encodeConfiguration } from "../../raft/codec.js";
import {
	headerBytes,
	maxDescriptionBytes,
	type SnapshotHeader,
	type SnapshotTrailer,
} from "./format.js";
import { SnapshotProblem } from "./problem.js";
import type {
	SnapshotDescription,
	SnapshotManifest,
} from "./snapshot-store.js";

/** What is known of a file beforehand; one that says otherwise is refused as soon as it does. */
export interface Expected {
	readonly id?: string;
	readonly index?: number;
	readonly clusterId?: string;
}

/** JSON with fixed key order. Throws a RangeError for one that no reader would take. */
export function encodeDescription(description: SnapshotDescription): Buffer {
	const { clusterId, index, term, machine, level, release, createdAtMs } =
		description;
	const { index: configurationIndex, configuration } =
		description.configuration;
	const encoded = Buffer.from(
		JSON.stringify({
			clusterId,
			index,
			term,
			configurationIndex,
			configuration: JSON.parse(
				Buffer.from(encodeConfiguration(configuration)).toString(),
			),
			machine,
			level,
			release,
			createdAtMs,
		}),
	);
	if (encoded.length > maxDescriptionBytes)
		throw new RangeError("a snapshot's description is too long");
	decodeDescription(encoded);
	return encoded;
}

/** Throws a SnapshotProblem. Keys that this release does not know are left out. */
export function decodeDescription(bytes: Uint8Array): SnapshotDescription {
	try {
		const found: Record<string, unknown> = JSON.parse(
			new TextDecoder("utf-8", { fatal: true }).decode(bytes),
		);
		return {
			clusterId: text(found, "clusterId"),
			index: count(found, "index"),
			term: count(found, "term"),
			configuration: {
				index: count(found, "configurationIndex"),
				configuration: decodeConfiguration(
					Buffer.from(JSON.stringify(found.configuration)),
				),
			},
			machine: text(found, "machine"),
			level: count(found, "level"),
			release: text(found, "release"),
			createdAtMs: count(found, "createdAtMs"),
		};
	} catch (cause) {
		throw new SnapshotProblem(
			headerBytes,
			"its description makes no sense",
			cause,
		);
	}
}

/** Throws a SnapshotProblem. */
export function checkExpected(
	description: SnapshotDescription,
	{ index = description.index, clusterId = description.clusterId }: Expected,
): void {
	if (description.clusterId !== clusterId)
		throw new SnapshotProblem(
			headerBytes,
			`it belongs to the cluster ${description.clusterId}`,
		);
	if (description.index !== index)
		throw new SnapshotProblem(
			headerBytes,
			`it is of index ${description.index} and not of ${index}`,
		);
}

export function manifestOf(
	header: SnapshotHeader,
	description: SnapshotDescription,
	{ contentBytes, sha256 }: SnapshotTrailer,
	fileBytes: number,
): SnapshotManifest {
	return {
		...description,
		id: header.id.toString("hex"),
		contentBytes,
		sha256: sha256.toString("hex"),
		fileBytes,
	};
}

function text(found: Record<string, unknown>, key: string): string {
	const value = found[key];
	if (typeof value !== "string") throw new TypeError(`${key} is no text`);
	return value;
}

/** Whole numbers below 2^48, as everywhere on the disk (P70). */
function count(found: Record<string, unknown>, key: string): number {
	const value = found[key];
	if (!Number.isInteger(value) || !((value as number) >= 0))
		throw new TypeError(`${key} is no count`);
	if ((value as number) >= 2 ** 48) throw new TypeError(`${key} is too large`);
	return value as number;
}
