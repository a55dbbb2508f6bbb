import { Args } from "@oclif/core";
import { indexFlag } from "../../src/cli/flags.js";
import { KeyValueCommand, keyValueFlags } from "../../src/cli/kv-command.js";
import { OperatorError } from "../../src/errors.js";
import { putKey } from "../../src/operations/kv.js";

export default class KvPut extends KeyValueCommand<typeof KvPut> {
	static override summary = "Write a key.";
	static override description =
		"Answers when the write is applied. The version is the raft index of the write: give it to `kv get --min-index` to read your own write from any node. With --expect the key is written only when its version is the given one.";
	static override examples = [
		"<%= config.bin %> kv put colour blue",
		"<%= config.bin %> kv put lock me --expect 0",
	];
	static override args = {
		key: Args.string({ required: true, description: "The key." }),
		value: Args.string({ required: true, description: "The value." }),
	};
	static override flags = {
		...keyValueFlags,
		expect: indexFlag({
			helpValue: "<version>",
			summary: "Only when this is the key's version; 0: when there is none.",
		}),
	};

	async run(): Promise<void> {
		const { key, value } = this.args;
		const expect = this.flags.expect ?? null;
		const target = await this.target(this.flags);
		const result = await putKey(target, key, { value, expect });
		if (!result.written && this.outputMode === "table")
			throw new OperatorError(
				"unexpected",
				result.version === 0
					? `there is no key ${key}, and version ${expect} was expected`
					: `${key} has version ${result.version}, and ${expect} was expected`,
				{ state: "nothing was written" },
			);
		if (!result.written) this.exitAs("unexpected");
		await this.print(result, () => `${key} written, version ${result.version}`);
	}
}
