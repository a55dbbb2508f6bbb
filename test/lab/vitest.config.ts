import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		root: resolve(import.meta.dirname, "../.."),
		include: ["test/lab/**/*.test.ts"],
		globalSetup: [resolve(import.meta.dirname, "setup.ts")],
		// One lab: the files take turns.
		fileParallelism: false,
		// Machines boot, halt and freeze beside whatever else this one does: what fails three times is wrong.
		retry: 2,
		testTimeout: 120_000,
		hookTimeout: 120_000,
	},
});
