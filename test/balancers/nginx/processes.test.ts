import { describe, expect, it } from "vitest";
import {
	connectionsTo,
	parseRunning,
} from "../../../src/balancers/nginx/processes.js";

const output = `running
worker 101 nginx: worker process
worker 102 nginx: worker process is shutting down
worker 103 nginx: cache manager process
connection 0 0 10.0.0.9:51000 10.0.0.1:7111 users:(("nginx",pid=101,fd=9))
connection 0 0 10.0.0.9:51001 10.0.0.1:7111 users:(("node",pid=7,fd=9))
connection 0 0 [::ffff:10.0.0.9]:51002 [::ffff:10.0.0.1]:7111 users:(("nginx",pid=102,fd=9))
connection 0 0 10.0.0.9:8080 10.0.0.1:60000 users:(("nginx",pid=101,fd=9))
`;

describe("nginx's processes", () => {
	it("are told apart: those that take connections, and those on their way out", () => {
		expect(parseRunning(output)).toMatchObject({
			workers: [101],
			leaving: [102],
		});
	});

	it("are none when it does not run", () => {
		expect(parseRunning("")).toBeNull();
	});

	it("hold connections to nodes, which are nobody else's", () => {
		const peers = parseRunning(output)?.peers ?? [];
		expect(connectionsTo({ client: "10.0.0.1:7111" }, peers)).toBe(2);
		expect(connectionsTo({ client: "10.0.0.2:7111" }, peers)).toBe(0);
		expect(connectionsTo({ client: "node1.example.net:7111" }, peers)).toBe(2);
	});

	it("are all that go there when ss does not tell whose they are", () => {
		const unnamed = "running\nconnection 0 0 10.0.0.9:51000 10.0.0.1:7111\n";
		const peers = parseRunning(unnamed)?.peers ?? [];
		expect(connectionsTo({ client: "10.0.0.1:7111" }, peers)).toBe(1);
	});
});
