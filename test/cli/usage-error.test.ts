import { Errors } from "@oclif/core";
import { describe, expect, it } from "vitest";
import { isTypedWrongly, usageError } from "../../src/cli/usage-error.js";
import { OperatorError } from "../../src/errors.js";
import { commandTable, parseCommandLine } from "./commands.js";

/** What raftctl says of a command line that it cannot take. */
async function said(line: string): Promise<OperatorError> {
	const argv = line.split(" ");
	const error = await parseCommandLine(argv).then(
		() => null,
		(reason: Error) => reason,
	);
	if (error === null) throw new Error(`"${line}" was taken`);
	return usageError(error, argv, commandTable);
}

describe("a wrong command line", () => {
	it.each([
		[
			"valdiate",
			'there is no command "valdiate"; did you mean "validate"?',
			"raftctl validate --help",
		],
		["frobnicate", 'there is no command "frobnicate"', "raftctl --help"],
		[
			"kv gte a",
			'"kv" has no command "gte"; did you mean "kv get"?',
			"raftctl kv get --help",
		],
		["kv frobnicate", '"kv" has no command "frobnicate"', "raftctl kv --help"],
		[
			"upgrade finalise --yes",
			'"upgrade" has no command "finalise"; did you mean "upgrade finalize"?',
			"raftctl upgrade finalize --help",
		],
		[
			"upgrade orders-1.4.0.tgz",
			'"upgrade" has no command "orders-1.4.0.tgz"',
			"raftctl upgrade --help",
		],
		[
			"snapshot lst",
			'"snapshot" has no command "lst"; did you mean "snapshot list"?',
			"raftctl snapshot list --help",
		],
		[
			"put a b",
			'there is no command "put"; did you mean "kv put"?',
			"raftctl kv put --help",
		],
		[
			"-o json status",
			'"-o" stands where a command is expected: flags come behind it',
			"raftctl --help",
		],
		[
			"validate --verbos",
			'"validate" has no flag --verbos; did you mean --verbose?',
			"raftctl validate --help",
		],
		[
			"up --dry",
			'"up" has no flag --dry; did you mean --dry-run?',
			"raftctl up --help",
		],
		["validate -x", '"validate" has no flag -x', "raftctl validate --help"],
		[
			"up extra",
			'"up" takes no arguments, and "extra" was given',
			"raftctl up --help",
		],
		[
			"kv get a b c",
			'"kv get" takes only <key>, and "b", "c" was given besides',
			"raftctl kv get --help",
		],
		["kv put a", '"kv put" lacks <value>', "raftctl kv put --help"],
		[
			"status -o jsn",
			'--output cannot be "jsn": it is one of table, json, yaml, ndjson; did you mean "json"?',
			"raftctl status --help",
		],
		[
			"status -o",
			"--output needs a value, one of table, json, yaml, ndjson",
			"raftctl status --help",
		],
		["status -c", "--config needs a value", "raftctl status --help"],
		[
			"status -c a -c b",
			"--config is given more than once",
			"raftctl status --help",
		],
		[
			"init --nodes 10",
			"--nodes: 10 is too large, the largest is 9",
			"raftctl init --help",
		],
		[
			"init --nodes 0",
			"--nodes: 0 is too small, the smallest is 1",
			"raftctl init --help",
		],
		[
			"init --nodes many",
			'--nodes: "many" is not a whole number',
			"raftctl init --help",
		],
		[
			"kv get a --timeout 5",
			'--timeout: "5" is not a duration',
			"write a number with its unit: 500ms, 30s, 15m, 1h",
		],
		[
			"up --detailed-exitcode",
			"--detailed-exitcode is nothing without --dry-run",
			"raftctl up --help",
		],
		[
			"dump --snapshot 5 --from 1",
			"--snapshot and --from exclude each other",
			"raftctl dump --help",
		],
		[
			"rolling-restart --skip qorum n2",
			'--skip cannot be "qorum": it is one of quorum, balancer, drain, settle; did you mean "quorum"?',
			"raftctl rolling-restart --help",
		],
	])("%s: %s; %s", async (line, sentence, next) => {
		expect(await said(line)).toMatchObject({
			...{ kind: "usage", message: sentence, next },
			state: "nothing was touched",
		});
	});

	const options = commandTable.commands.flatMap(({ id, flags }) =>
		Object.entries(flags)
			.filter(([, { type }]) => type === "option")
			.flatMap(([name, { char }]) =>
				[`--${name}`, ...(char === undefined ? [] : [`-${char}`])].map(
					(flag) => [id.replaceAll(":", " "), flag] as const,
				),
			),
	);

	it.each(options)(
		"%s %s with a senseless value is told in our words, on one line",
		async (name, flag) => {
			for (const value of ["???", "", "-1", "1.5"]) {
				const argv = [...name.split(" "), flag, value];
				const error = await parseCommandLine(argv).then(
					() => null,
					(reason: Error) => reason,
				);
				if (error === null || !isTypedWrongly(error)) continue;
				const { message, problems, state, next } = usageError(
					...([error, argv, commandTable] as const),
				);
				for (const text of [message, ...problems, state, next]) {
					expect(text).toMatch(/^\S[^\n\t]*$/);
					expect(text).not.toMatch(/Parsing|See more help|\bExpected\b/);
				}
			}
		},
	);

	it("is told with everything that is wrong with it, and no value that may be a secret", async () => {
		const error = await said("validate --tokn=secret --vrebose");
		expect(error.message).toBe('"validate" has no such flags');
		expect(error.problems).toEqual([
			"--tokn",
			"--vrebose; did you mean --verbose?",
		]);
		expect(JSON.stringify(error)).not.toContain("secret");
	});

	it("is explained for help as well", () => {
		const error = new Errors.CLIError("Command valdiate not found.");
		const { message } = usageError(error, ["help", "valdiate"], commandTable);
		expect(message).toContain('did you mean "validate"?');
	});

	it.each([
		["status --help x", '"status" takes no arguments, and "x" was given'],
		[
			"certs rotate --help x",
			'"certs rotate" takes no arguments, and "x" was given',
		],
		[
			"snapshot list --help y z",
			'"snapshot list" takes no arguments, and "y" was given',
		],
		["upgrade --help x", '"upgrade" has no command "x"'],
		["certs --help x", '"certs" has no command "x"'],
	])("is explained behind --help, too: %s", (line, sentence) => {
		const argv = line.split(" ");
		// As oclif looks for it.
		const id = argv.filter((word) => word !== "--help").join(":");
		const error = new Errors.CLIError(`Command ${id} not found.`);
		expect(usageError(error, argv, commandTable)).toMatchObject({
			...{ kind: "usage", message: sentence },
			state: "nothing was touched",
		});
	});

	it("is told in oclif's words where we know none", () => {
		const error = new Errors.CLIError("new\nSee more help with --help");
		expect(usageError(error, ["status"], commandTable)).toMatchObject({
			...{ message: "new", next: "raftctl status --help" },
		});
	});

	it("is none of an operation's own errors, nor oclif's wish to exit", () => {
		expect(isTypedWrongly(new OperatorError("usage", "no node"))).toBe(false);
		expect(isTypedWrongly(new Errors.ExitError(0))).toBe(false);
		expect(isTypedWrongly(new TypeError("a bug"))).toBe(false);
		expect(isTypedWrongly(new Errors.CLIError("Flag --x"))).toBe(true);
	});
});
