import { Args } from "@oclif/core";
import { KeyValueCommand, keyValueFlags } from "../../src/cli/kv-command.js";
import { deleteKey } from "../../src/operations/kv.js";

export default class KvDelete extends KeyValueCommand<typeof KvDelete> {
	static override summary = "Delete a key.";
	static override description =
		"Exits with 0 also when there was no such key: afterwards there is none.";
	static override examples = ["<%= config.bin %> kv delete colour"];
	static override args = {
		key: Args.string({ required: true, description: "The key." }),
	};
	static override flags = keyValueFlags;

	async run(): Promise<void> {
		const { key } = this.args;
		const result = await deleteKey(await this.target(this.flags), key);
		await this.print(result, () =>
			result.deleted ? `${key} deleted` : `there was no key ${key}`,
		);
	}
}
