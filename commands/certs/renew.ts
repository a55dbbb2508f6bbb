import { nodeFlag } from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { renewCertificates } from "../../src/operations/certs/renew.js";
import { withContext } from "../../src/operations/open-context.js";

export default class CertsRenew extends OperatorCommand<typeof CertsRenew> {
	static override summary = "Issue new certificates; no node is restarted.";
	static override description =
		"Each node is given a new certificate of the same authority, one after the other, and says itself that it uses it. Works with certificates that have expired, too, and takes no lock. With --node for these nodes alone; else operators' certificates are renewed as well.";
	static override examples = [
		"<%= config.bin %> certs renew",
		"<%= config.bin %> certs renew --node n2",
	];
	static override flags = { node: nodeFlag };

	async run(): Promise<void> {
		const nodes = [...new Set(this.flags.node)];
		const operating = await this.operating();
		const report = await withContext(operating, (context) =>
			renewCertificates(context, { nodes }),
		);
		const { certsRenewText } = await import("../../src/cli/certs-text.js");
		await this.print(report, () => certsRenewText(report));
	}
}
