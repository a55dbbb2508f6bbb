import { createHash, type Hash } from "node:crypto";
import type { ReplicatedState } from "../engine/replicated-state.js";
import { FrameReader } from "../engine/state/frame-reader.js";
import { Section } from "../engine/state/frames.js";

const names = new Map<number, string>(
	Object.entries(Section).map(([name, section]) => [section, name]),
);

/** A digest of each part of the state, by the part's name: however chunks are cut, equal states have equal ones. */
export function partDigests(
	state: ReplicatedState,
): ReadonlyMap<string, string> {
	const hashes = new Map<Section, Hash>();
	const reader = new FrameReader({
		begin: (section) => void hashes.set(section, createHash("sha256")),
		record: (section, record) =>
			void hashes.get(section)?.update(`${record.length} `).update(record),
		machine: (bytes) => void hashes.get(Section.machine)?.update(bytes),
	});
	const { chunks } = state.snapshot();
	for (let next = chunks.next(); !next.done; next = chunks.next())
		reader.write(next.value);
	return new Map(
		[...hashes].map(([section, hash]) => [
			names.get(section) ?? "",
			hash.digest("hex"),
		]),
	);
}

/** The names of the parts that differ. */
export function differingParts(
	one: ReadonlyMap<string, string>,
	other: ReadonlyMap<string, string>,
): string[] {
	return [...one.keys()].filter((part) => one.get(part) !== other.get(part));
}
