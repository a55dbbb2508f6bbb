import { Args } from "@oclif/core";
import {
	KeyValueCommand,
	keyValueFlags,
	readFlags,
	readOptions,
	shownText,
} from "../../src/cli/kv-command.js";
import { OperatorError } from "../../src/errors.js";
import { getKey } from "../../src/operations/kv.js";

export default class KvGet extends KeyValueCommand<typeof KvGet> {
	static override summary = "Read a key.";
	static override description =
		"Prints the value alone, for scripts; --json adds the version. Exits with 1 when there is no such key.";
	static override examples = [
		"<%= config.bin %> kv get colour",
		"<%= config.bin %> kv get colour --node n2 --consistency stale --min-index 42",
	];
	static override args = {
		key: Args.string({ required: true, description: "The key." }),
	};
	static override flags = { ...keyValueFlags, ...readFlags };

	async run(): Promise<void> {
		const { key } = this.args;
		const target = await this.target(this.flags);
		const result = await getKey(target, key, readOptions(this.flags));
		if (!result.found && this.outputMode === "table")
			throw new OperatorError("unexpected", `there is no key ${key}`);
		if (!result.found) this.exitAs("unexpected");
		await this.print(result, () => shownText(result.value ?? ""));
	}
}
