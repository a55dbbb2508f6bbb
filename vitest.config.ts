import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
	test: {
		include: ["test/**/*.test.ts"],
		// Need root and machines of their own: npm run test:lab.
		exclude: [...configDefaults.exclude, "test/lab/**"],
		// Real processes, disks and elections: generous limits, so that a slow machine does not fail a sound test.
		testTimeout: 60_000,
		hookTimeout: 60_000,
		maxWorkers: 2,
	},
});
