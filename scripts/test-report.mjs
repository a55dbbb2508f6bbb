// Reads vitest's JSON reports, for scripts/test.sh.
//
//   test-report.mjs count REPORT…          "N passed, N failed"; a run that wrote no report has failed
//   test-report.mjs failed-files REPORT    the test files in which something failed, a line each
//   test-report.mjs merge FIRST SECOND     FIRST, with what SECOND says of the files that it ran
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const [word, ...paths] = process.argv.slice(2);
const reports = paths.map((path) =>
	JSON.parse(readFileSync(path, "utf8") || "{}"),
);

if (word === "count") {
	let [passed, failed] = [0, 0];
	for (const report of reports) {
		const { numPassedTests = 0, numFailedTests = 0 } = report;
		const { numFailedTestSuites = 1 } = report;
		passed += numPassedTests;
		failed += numFailedTests || numFailedTestSuites;
	}
	console.log(`${passed} passed, ${failed} failed`);
} else if (word === "failed-files") {
	for (const { name } of failedFiles(reports[0]))
		console.log(relative(process.cwd(), name));
} else if (word === "merge") {
	const [first, second] = reports;
	const again = new Set(second.testResults?.map(({ name }) => name));
	const kept = first.testResults.filter(({ name }) => !again.has(name));
	const testResults = [...kept, ...(second.testResults ?? [])];
	const of = (status) =>
		testResults
			.flatMap(({ assertionResults }) => assertionResults)
			.filter((result) => result.status === status).length;
	console.log(
		JSON.stringify({
			numPassedTests: of("passed"),
			numFailedTests: of("failed"),
			numFailedTestSuites: failedFiles({ testResults }).length,
			testResults,
		}),
	);
} else throw new Error(`test-report.mjs knows no ${word}`);

function failedFiles({ testResults = [] }) {
	return testResults.filter(({ status }) => status === "failed");
}
