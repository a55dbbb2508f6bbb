import { z } from "zod";
import { clusterFile } from "./cluster-file.js";

/** The cluster file's JSON Schema, draft-07, which is what editors' YAML servers read. */
export function clusterFileJsonSchema(): object {
	const schema = z.toJSONSchema(clusterFile, {
		io: "input",
		target: "draft-07",
	});
	return { title: "raftctl cluster file", ...schema };
}
