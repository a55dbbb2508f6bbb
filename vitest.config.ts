import { relative } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * What takes long comes after all that is told within minutes; of these the longest begin first, so that no worker is left
 * alone with one in the end. In turn one that keeps the processors busy and one that mostly waits: of two of the first
 * kind each would take the time that the other needs.
 */
const long = [
	"torture-operations/torture-operations",
	"e2e/rolling-restart",
	"e2e/guides",
	"e2e/kill",
	"e2e/pipelines",
	"e2e/operations-disaster",
	"sim/batch",
	"e2e/haproxy",
	"e2e/operations-membership",
	"e2e/exit-codes",
	"torture/torture",
	"e2e/nginx",
	"e2e/move-node",
	"sim/mutants",
	"e2e/snapshots",
	"cli/contract",
	"e2e/bad-days",
	"sim/mutants/core-mutants",
	"e2e/scheduled-snapshots",
	"sim/broken",
	"e2e/snapshot-files",
	"e2e/output",
	"e2e/demo",
	"sim/main",
	"e2e/upgrade",
	"e2e/containers",
	"e2e/restore-refused",
	"hosts/ssh/ssh-host",
	"e2e/drift",
	"e2e/canary",
	"e2e/frozen-node",
	"daemon/engine/snapshots/replica-snapshots",
	"storage/damage",
	"e2e/bench",
	"e2e/certificates",
	"e2e/membership",
	"daemon/engine/membership",
	"cli/program",
	"daemon/raftd-cluster",
	"cli/completion/shells",
].map((name) => `test/${name}.test.ts`);

class FastThenLongest extends BaseSequencer {
	override async sort(files: TestSpecification[]) {
		const place = ({ moduleId }: TestSpecification) =>
			long.indexOf(relative(this.ctx.config.root, moduleId));
		const others = await super.sort(files);
		return others.sort((a, b) => place(a) - place(b));
	}
}

export default defineConfig({
	test: {
		include: ["test/**/*.test.ts"],
		// Need root and machines of their own: npm run test:lab.
		exclude: [...configDefaults.exclude, "test/lab/**"],
		// Real processes, disks and elections: generous limits, so that a slow machine does not fail a sound test.
		testTimeout: 60_000,
		hookTimeout: 60_000,
		// More than the two processors of a small machine: real clusters mostly wait.
		maxWorkers: 3,
		// Of the tests of one file, where it says that they may run at once.
		maxConcurrency: 2,
		sequence: { sequencer: FastThenLongest },
	},
});
