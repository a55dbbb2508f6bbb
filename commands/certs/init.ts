import { ClusterCommand } from "../../src/cli/cluster-command.js";
import { initCertificates } from "../../src/operations/certs/init.js";

export default class CertsInit extends ClusterCommand<typeof CertsInit> {
	static override summary =
		"Make an authority and a certificate for each node.";
	static override description =
		"Everything goes into tls.directory of the cluster file, on this machine, readable by you alone; what is there already is never written over. ca.key stays there. Operators have certificates for the roles observer, operator and admin. No node is asked or told anything: up and deploy bring each node its own.";
	static override examples = [
		"<%= config.bin %> certs init",
		"<%= config.bin %> certs init --json",
	];

	async run(): Promise<void> {
		const inventory = await this.inventory();
		const report = await initCertificates(inventory, Date.now());
		const { certsInitText } = await import("../../src/cli/certs-text.js");
		await this.print(report, () => certsInitText(report));
	}
}
