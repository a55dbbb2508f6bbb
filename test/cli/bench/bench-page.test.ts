import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
	requireReportFile,
	writeReportFile,
} from "../../../src/cli/bench/bench-file.js";
import { benchPage, benchSvg } from "../../../src/cli/bench/bench-page.js";
import type { BenchReport } from "../../../src/operations/bench/result.js";
import { besideEtcd, sweep } from "./report.js";

const at = new Date("2026-01-02T03:04:05.678Z");
let directory: string;
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-bench-page-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

describe("the report of a bench", () => {
	it.each([
		["beside etcd", besideEtcd],
		["of a sweep", sweep],
	])("%s loads nothing from elsewhere, and runs nothing", (_, report) => {
		const page = benchPage(report, at);
		const elsewhere = page
			.replaceAll("http://www.w3.org/2000/svg", "")
			.match(/<script|<link|<img|https?:|url\(|@import/g);
		expect(elsewhere).toBeNull();
		expect(page).toContain("2026-01-02T03:04:05Z");
	});

	it.each([
		["beside etcd", besideEtcd],
		["of a sweep", sweep],
	])("%s is well formed, with every point within its image", (_, report) => {
		const svg = benchSvg(report);
		const open: string[] = [];
		for (const [, closes, name = "", itself] of svg.matchAll(
			/<(\/?)(\w+)[^>]*?(\/?)>/g,
		)) {
			if (closes === "/") expect(open.pop()).toBe(name);
			else if (itself !== "/") open.push(name);
		}
		expect(open).toEqual([]);
		expect(svg).not.toMatch(/NaN|Infinity|undefined/);
		const points = [...svg.matchAll(/points="([^"]+)"/g)]
			.flatMap(([, text = ""]) => text.split(" "))
			.map((pair) => pair.split(",").map(Number));
		expect(points.length).toBeGreaterThan(9);
		for (const [x = -1, y = -1] of points) {
			expect(x).toBeGreaterThanOrEqual(70);
			expect(x).toBeLessThanOrEqual(740);
			expect(y).toBeGreaterThanOrEqual(80);
			expect(y).toBeLessThanOrEqual(308);
		}
	});

	it("draws latency against rate only of what was swept", () => {
		expect(benchSvg(sweep)).toContain("raftd: latency against rate");
		expect(benchSvg(besideEtcd)).not.toContain("latency against rate");
	});

	it("takes no name for markup", () => {
		const cluster = '<script>alert("x")</script>';
		const page = benchPage({ ...besideEtcd, cluster }, at);
		expect(page).not.toContain("<script>");
		expect(page).toContain("&lt;script&gt;");
	});

	it("of nothing that was measured is a report all the same", () => {
		const report: BenchReport = { ...sweep, results: [], interrupted: true };
		expect(benchPage(report, at)).toContain("Nothing was measured.");
	});

	it("is a page or an image by the name of its file", async () => {
		const page = join(directory, "a.html");
		const image = join(directory, "a.svg");
		for (const path of [page, image]) {
			await requireReportFile(path);
			await writeReportFile(path, sweep, at);
		}
		expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>/);
		expect(readFileSync(image, "utf8")).toMatch(/^<svg /);
	});

	it.each([
		["report.pdf", "what kind of report"],
		["no/such/directory/report.html", "cannot be written"],
	])(
		"that cannot be written to %s is refused before anything",
		async (name, why) => {
			await expect(
				requireReportFile(join(directory, name)),
			).rejects.toMatchObject({
				...{ kind: "usage", state: "nothing was touched" },
				message: expect.stringContaining(why),
			});
		},
	);
});
