import { expect, it } from "vitest";
import { listSnapshots } from "../../../src/operations/snapshots/list.js";
import { failureOf, operating } from "../operating.js";

it("tells what is known where one node answers, and nothing where none does", async () => {
	const { clock, cluster, context } = operating();
	await clock.sleep(5_000);
	for (const id of ["n2", "n3"]) cluster.stop(id);
	const report = await listSnapshots(context);
	expect(report.nodes.map(({ fault }) => fault === "")).toEqual([
		...[true, false, false],
	]);
	cluster.stop("n1");
	const failure = await failureOf(listSnapshots(context));
	expect(failure).toMatchObject({
		...{ exitCode: 20, message: "none of n1, n2, n3 gives an answer" },
		problems: [1, 2, 3].map((number) =>
			expect.stringContaining(`n${number} does not answer`),
		),
		state: expect.stringContaining("nothing was touched"),
	});
});
