import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Document, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { unitOf } from "../../../src/hosts/systemd-service.js";
import { inside } from "../compare/inside.js";
import { cluster, ids, lockWait, releases, type Stage } from "./stage.js";

const carryPort = 9_000;

/** Has the node that is no member, with its machine set up and its disk empty, in the cluster file. Returns its id. */
export async function newcomer(stage: Stage): Promise<string> {
	const members = await stage.members();
	const id = ids.find((one) => !members.includes(one));
	if (id === undefined) throw new Error("every node is a member");
	const host = stage.hostOf(id);
	await stop(stage, id);
	await inside(stage.lab, host, ["rm", "-rf", `${homeOf(id)}/data`]);
	await editFile(stage, (document, nodes) => {
		if (nodes.every((node) => node.get("id") !== id))
			document.addIn(["nodes"], document.createNode({ id, host }));
	});
	await setUp(stage, id);
	return id;
}

/**
 * As somebody does who carries a disk to another machine: the cluster file says where, that machine is set up, and the disk is
 * no more where it was.
 */
export async function carryDisk(stage: Stage, id: string): Promise<void> {
	const [from, to] = [stage.hostOf(id), stage.freeHost];
	await editFile(stage, (_document, nodes) => {
		for (const node of nodes) if (node.get("id") === id) node.set("host", to);
	});
	await setUp(stage, id);
	await stop(stage, id);
	const home = homeOf(id);
	const address = `${stage.lab.address(to)}:${carryPort}`;
	const receive = `install -d -m 0750 -o raftd-${cluster} -g raftd ${home}; socat -u TCP-LISTEN:${carryPort},reuseaddr - | tar -x --same-owner -C ${home}; ls ${home}/data`;
	const send = `until tar -c -C ${home} data | socat -u - TCP:${address}; do sleep 0.1; done; rm -rf ${home}/data`;
	await Promise.all([
		inside(stage.lab, to, ["bash", "-euo", "pipefail", "-c", receive]),
		inside(stage.lab, from, ["bash", "-euo", "pipefail", "-c", send]),
	]);
	stage.moveTo(id, to);
}

function homeOf(id: string): string {
	return `/var/lib/raftctl/${cluster}/${id}`;
}

/** As long as it has run there at all. */
async function stop(stage: Stage, id: string): Promise<void> {
	const script = 'systemctl disable --now --quiet "$1" || true';
	const argv = ["sh", "-c", script, "sh", unitOf(cluster, id)];
	await inside(stage.lab, stage.hostOf(id), argv);
}

async function setUp(stage: Stage, id: string): Promise<void> {
	const archive = stage.archiveOf(releases.first);
	const words = ["--node", id, "--release", archive, "--yes"];
	await stage.succeed(["deploy", ...words, ...lockWait]);
}

async function editFile(
	{ directory }: Stage,
	edit: (document: Document, nodes: readonly YAMLMap[]) => void,
): Promise<void> {
	const file = join(directory, "cluster.yaml");
	const document: Document = parseDocument(await readFile(file, "utf8"));
	const { items } = document.get("nodes") as YAMLSeq<YAMLMap>;
	edit(document, items);
	await writeFile(file, document.toString());
}
