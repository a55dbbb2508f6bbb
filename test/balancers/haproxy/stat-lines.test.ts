import { describe, expect, it } from "vitest";
import { backendsIn } from "../../../src/balancers/haproxy/stat-lines.js";

const header =
	"# pxname,svname,scur,status,check_status,last_chk,last_agt,agent_status,check_desc,agent_desc,";

function view(...lines: string[]) {
	return backendsIn(`${[header, ...lines].join("\n")}\n\n`, "orders");
}

describe("what HAProxy says of its servers", () => {
	it("becomes one line a node, with the connections of both backends", () => {
		const found = view(
			"raftctl-orders,FRONTEND,9,OPEN,,,,,,,",
			"raftctl-orders,n1,3,UP,L7OK,,,L7OK,,,",
			"raftctl-orders,BACKEND,3,UP,,,,,,,",
			"raftctl-orders-moved,n1,4,UP,,,,,,,",
			"raftctl-other,n1,50,UP,,,,,,,",
		);
		expect(found).toEqual([
			{ node: "n1", admitting: true, state: "up", connections: 7, reason: "" },
		]);
	});

	it.each([
		["UP", "up", ""],
		["UP 1/3", "up", ""],
		["no check", "up", ""],
		["DRAIN (agent)", "drain", "draining"],
		["DRAIN", "drain", "drained at HAProxy, by hand or by a weight of 0"],
		["NOLB", "drain", "drained at HAProxy, by hand or by a weight of 0"],
		["MAINT", "down", "in maintenance, which somebody set"],
		["DOWN", "down", "Layer4 timeout"],
	])("takes %s for %s", (status, state, reason) => {
		const [found] = view(
			`raftctl-orders,n1,0,${status},L4TOUT,,,,Layer4 timeout,,`,
		);
		expect(found).toMatchObject({ state, reason, admitting: state === "up" });
	});

	it("gives the agent's own reason", () => {
		const [found] = view(
			'raftctl-orders,n1,0,DOWN (agent),L7OK,,"via agent : down (caught-up, state)",L7STS,,,',
		);
		expect(found?.reason).toBe("unready: via agent : down (caught-up, state)");
	});

	it("is empty where HAProxy does not know the cluster, and for what is no answer", () => {
		expect(view("web,n1,3,UP,,,,,,,")).toEqual([]);
		expect(backendsIn("Permission denied\n", "orders")).toEqual([]);
	});
});
