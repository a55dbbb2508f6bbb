import { isDeepStrictEqual } from "node:util";
import { isMap, isSeq, parseDocument, type YAMLSeq } from "yaml";
import { OperatorError, reasonOf } from "../../errors.js";
import { type ClusterFileEdit, editedInventory } from "../edits.js";
import type { Inventory, NodeEntry } from "../inventory.js";
import { origin } from "../inventory.js";
import { type ParseOptions, parseInventory, plainNode } from "../load.js";
import { removed, Unwritable } from "./list.js";
import { addedNode, changedNode, replaced, textLike } from "./node.js";
import { type Splice, spliced } from "./text.js";

export type EditedText =
	/** The same text when there was nothing to do. */
	| { readonly text: string }
	/** Why no text can be made that says it, and nothing else; a sentence without a full stop. */
	| { readonly text: null; readonly reason: string };

/**
 * A cluster file's text with these edits, byte for byte the same outside of the nodes that they touch. What it makes is
 * read again, and returned only if it says what was meant.
 */
export function editText(
	text: string,
	edits: readonly ClusterFileEdit[],
	options: ParseOptions,
): EditedText {
	try {
		const before = parseInventory(text, options);
		const wanted = editedInventory(before, edits);
		let now = text;
		let inventory: Inventory = before;
		for (const edit of edits) {
			now = withEdit(now, edit, { inventory, directory: options.directory });
			inventory = editedInventory(inventory, [edit]);
		}
		return isSame(parseInventory(now, options), wanted)
			? { text: now }
			: { text: null, reason: "the edited file would say something else" };
	} catch (error) {
		if (error instanceof Unwritable)
			return { text: null, reason: error.message };
		if (error instanceof OperatorError)
			return {
				text: null,
				reason: [error.message, ...error.problems].join("; "),
			};
		return { text: null, reason: reasonOf(error) };
	}
}

interface Place {
	/** What the text says now. */
	readonly inventory: Inventory;
	readonly directory: string;
}

function withEdit(text: string, edit: ClusterFileEdit, place: Place): string {
	// A byte order mark counts as a letter of the text, but not of the document.
	const mark = text.startsWith("\ufeff") ? "\ufeff" : "";
	const body = text.slice(mark.length);
	return mark + spliced(body, splicesFor(body, edit, place));
}

function splicesFor(
	text: string,
	edit: ClusterFileEdit,
	place: Place,
): readonly Splice[] {
	const { inventory } = place;
	const document = parseDocument(text, {
		...{ version: "1.2", keepSourceTokens: true },
		...{ prettyErrors: false, logLevel: "error" },
	});
	if (edit.type === "set-cluster-id") {
		if (inventory.id === edit.clusterId) return [];
		const value = isMap(document.contents)
			? document.contents.get("id", true)
			: undefined;
		return [replaced(value, textLike(value, edit.clusterId))];
	}
	const list: unknown = document.get("nodes", true);
	if (!isSeq(list))
		throw new Unwritable("its nodes are not written out as a list");
	return nodeSplices({ text, list: list as YAMLSeq }, edit, place);
}

interface NodeList {
	readonly text: string;
	readonly list: YAMLSeq;
}

function nodeSplices(
	{ text, list }: NodeList,
	edit: Exclude<ClusterFileEdit, { type: "set-cluster-id" }>,
	{ inventory, directory: own }: Place,
): readonly Splice[] {
	const positionOf = (id: string) =>
		inventory.nodes.findIndex((node) => node.id === id);
	const put = (position: number, to: NodeEntry): readonly Splice[] => {
		// Its host is no matter of course, only what follows from it.
		const plain = {
			...plainNode(to.id, inventory, to.host),
			host: "local",
		};
		const directory = to.host === "local" ? own : inventory.deploy.state;
		if (position === -1)
			return addedNode(text, list, { node: to, plain, directory });
		const from = inventory.nodes[position];
		if (from === undefined || isDeepStrictEqual({ ...from }, { ...to }))
			return [];
		const change = { from, to, plain, directory };
		return changedNode(text, list.items[position], change);
	};
	switch (edit.type) {
		case "add-node":
			return put(positionOf(edit.node.id), edit.node);
		case "remove-node": {
			const position = positionOf(edit.id);
			return position === -1 ? [] : removed(text, list, position);
		}
		case "set-role": {
			const node = inventory.nodes[positionOf(edit.id)];
			if (node === undefined) throw new Unwritable(`it has no node ${edit.id}`);
			return put(positionOf(edit.id), { ...node, role: edit.role });
		}
		case "replace-node": {
			const old = positionOf(edit.id);
			const own = positionOf(edit.node.id);
			if (own === -1) return put(old, edit.node);
			if (old === -1 || old === own) return put(own, edit.node);
			return [...put(own, edit.node), ...removed(text, list, old)];
		}
	}
}

function isSame(one: Inventory, other: Inventory): boolean {
	const said = ({ [origin]: _, warnings: __, ...rest }: Inventory) => rest;
	return isDeepStrictEqual(said(one), said(other));
}
