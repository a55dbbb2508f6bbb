import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { reactionMsOf } from "../../src/balancers/haproxy/timing.js";
import { parseInventory } from "../../src/config/load.js";
import { renderBalancer } from "../../src/operations/balancer/render.js";
import {
	compose,
	contentOf,
	dockerfile,
	execForm,
	inImage,
	nodeNames,
	root,
} from "./containers.js";

/** What a node's file says that matters to its container. */
interface NodeFile {
	readonly node: string;
	readonly data: string;
	readonly listen: Readonly<Record<string, string>>;
	readonly members: readonly object[];
	readonly drain: Readonly<Record<string, number>>;
}

const nodeFile = (name: string): NodeFile => parse(contentOf(name));

describe("the Dockerfile", () => {
	it("builds in one stage and runs in another, of the same pinned Node.js", () => {
		const bases = dockerfile.filter(({ name }) => name === "FROM");
		expect(bases.map(({ text }) => text)).toEqual([
			...["node:20-bookworm-slim AS build", "node:20-bookworm-slim"],
		]);
		expect(dockerfile.map(({ name }) => name)).not.toContain("ADD");
	});

	it("runs raftd as process 1, as nobody special, and stops it in order", () => {
		expect(inImage("USER")).toBe("node");
		expect(inImage("STOPSIGNAL")).toBe("SIGTERM");
		const [program, entry = "", ...more] = execForm(inImage("ENTRYPOINT"));
		expect([program, more]).toEqual(["node", []]);
		const inPackage = entry.replace("/app/node_modules/raftctl/", "");
		expect(inPackage).toBe(packageJson().bin.raftd.replace("./", ""));
		expect(execForm(inImage("CMD"))).toEqual([
			...["--config", "/etc/raftd/node.yaml"],
		]);
	});

	it("gives the daemon a directory of its own for its data, and nothing else to write into", () => {
		const { data } = nodeFile("n1");
		expect(inImage("VOLUME")).toBe(data);
		expect(inImage("RUN")).toBe(`install -d -o node -g node -m 700 ${data}`);
		expect(inImage("COPY")).not.toContain("--chown");
	});

	it("is healthy when its node is ready, by the admin port that its node has", () => {
		const check = inImage("HEALTHCHECK");
		const [program, flag, source = ""] = execForm(check);
		expect([program, flag]).toEqual(["node", "-e"]);
		const port = /127\.0\.0\.1:(\d+)\/readyz/.exec(source)?.[1];
		for (const name of nodeNames)
			expect(nodeFile(name).listen.admin).toBe(`0.0.0.0:${port}`);
	});

	it("says which ports there are", () => {
		const ports = Object.values(nodeFile("n1").listen).map(
			(address) => address.split(":")[1],
		);
		expect(inImage("EXPOSE").split(" ")).toEqual(ports);
	});
});

describe("the compose file", () => {
	it("runs three nodes, each with its own file and volume", () => {
		for (const name of nodeNames) {
			const service = compose.services[name];
			const file = nodeFile(name);
			expect(service).toMatchObject({
				volumes: [`${name}:${file.data}`],
				configs: [{ source: name, target: "/etc/raftd/node.yaml" }],
				restart: "unless-stopped",
			});
			expect(Object.keys(compose.volumes)).toContain(name);
			expect(file).toEqual({ ...nodeFile("n1"), node: name });
			expect(service?.ports, "the admin port is nobody else's").toBeUndefined();
		}
	});

	it("leaves a node longer to stop than it takes for itself", () => {
		for (const name of nodeNames) {
			const {
				announceMs = 0,
				closeOverMs = 0,
				timeoutMs = 0,
			} = nodeFile(name).drain;
			const grace = compose.services[name]?.stop_grace_period ?? "";
			expect(grace).toMatch(/^\d+s$/);
			expect(Number.parseInt(grace, 10) * 1000).toBeGreaterThan(timeoutMs);
			expect(timeoutMs).toBeGreaterThan(announceMs + closeOverMs);
		}
	});

	it("lets HAProxy begin once the nodes are ready, and shows its port to this machine alone", () => {
		const { depends_on = {}, ports } = compose.services.haproxy ?? {};
		expect(depends_on).toEqual(
			Object.fromEntries(
				nodeNames.map((name) => [name, { condition: "service_healthy" }]),
			),
		);
		expect(ports).toEqual(["127.0.0.1:8080:8080"]);
	});

	it("has a cluster file for raftctl that is valid and names the same members", () => {
		const { nodes, id, name } = clusterFile();
		expect({ id, name }).toEqual({ id: "orders-1", name: "orders" });
		const members = nodes.map(({ id, peer, client, admin }) => ({
			...{ id, peer, client, admin },
		}));
		expect(nodeFile("n1").members).toEqual(members);
		const { environment, entrypoint, profiles } =
			compose.services.raftctl ?? {};
		const { target } = compose.services.raftctl?.configs?.[0] ?? {};
		expect(environment).toEqual({ RAFTCTL_CONFIG: target });
		expect(profiles).toEqual(["tools"]);
		expect(entrypoint?.[1]).toBe(
			`/app/node_modules/raftctl/${packageJson().bin.raftctl.replace("./", "")}`,
		);
	});

	it("announces a node's end to HAProxy for as long as HAProxy needs", () => {
		const { balancer } = clusterFile();
		if (balancer?.kind !== "haproxy") throw new Error("no HAProxy");
		for (const name of nodeNames)
			expect(nodeFile(name).drain.announceMs).toBeGreaterThanOrEqual(
				reactionMsOf(balancer),
			);
	});

	it("gives HAProxy what raftctl makes of that file, but that names are looked up anew", () => {
		const content = contentOf("haproxy");
		const section = content.slice(content.indexOf("# BEGIN")).trimEnd();
		expect(section.replaceAll(" resolvers docker", "")).toBe(
			renderBalancer(clusterFile()).text.trimEnd(),
		);
		expect(section).not.toMatch(/init-addr \S+$/m);
	});
});

function clusterFile() {
	return parseInventory(contentOf("cluster"), {
		source: "cluster.yaml",
		directory: "/etc/raftctl",
	});
}

function packageJson(): {
	readonly bin: { readonly raftctl: string; readonly raftd: string };
} {
	return JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
}
