import assert from "node:assert/strict";
import { test } from "node:test";
import { checkMachine } from "raftctl/machine";
import bank from "./machine.js";

const bytes = (value) => Buffer.from(JSON.stringify(value));
const read = (data) => JSON.parse(Buffer.from(data).toString());

/** A bank, and what its commands came to. */
function started() {
	const state = bank.create();
	const events = [];
	let index = 0;
	const run = (command, level = 2) => {
		const emit = (event) => events.push(read(event));
		index += 1;
		return read(bank.apply(state, bytes(command), { index, level, emit }));
	};
	const ask = (query) => read(bank.query(state, bytes(query)));
	return { state, events, run, ask };
}

const open = (account, amount) => ({ op: "open", account, amount });
const transfer = (from, to, amount, memo) => ({
	...{ op: "transfer", from, to, amount },
	...(memo === undefined ? {} : { memo }),
});

test("money moves, and none is made or lost", () => {
	const { run, ask, events } = started();
	run(open("ann", "100"));
	run(open("bob", "5"));
	assert.deepEqual(run(transfer("ann", "bob", "30")), { ok: true, left: "70" });
	assert.deepEqual(run(transfer("ann", "bob", "71")), {
		...{ ok: false, why: "balance" },
	});
	assert.deepEqual(ask({}), { sum: "105", accounts: 2 });
	assert.equal(events.length, 3);
});

test("amounts are exact beyond 2^53", () => {
	const { run, ask } = started();
	run(open("ann", "9007199254740993"));
	run(open("bob", "0"));
	run(transfer("ann", "bob", "1"));
	assert.equal(ask({ account: "ann" }).balance, "9007199254740992");
});

test("a memo means something from level 2 on, and nothing in a command of level 1", () => {
	const { run, ask } = started();
	run(open("ann", "10"));
	run(open("bob", "0"));
	run(transfer("ann", "bob", "1", "rent"), 1);
	assert.equal(ask({ account: "bob" }).memo, "");
	run(transfer("ann", "bob", "1", "rent"), 2);
	assert.equal(ask({ account: "bob" }).memo, "rent");
});

test("a snapshot below level 2 is one that the release before can read", () => {
	const { run, state } = started();
	run(open("ann", "10"), 1);
	const text = Buffer.concat([...bank.snapshot(state, 1)]).toString();
	assert.equal(text, '["ann","10"]\n');
});

test("commands that make no sense are refused before the log, and have a result behind it", () => {
	const { run, state } = started();
	for (const wrong of [null, 7, [], {}, open("ann", 5), open("Ann", "5")]) {
		assert.notEqual(bank.validate(bytes(wrong), state), null);
		assert.deepEqual(run(wrong), { ok: false, why: "invalid" });
	}
	assert.equal(bank.validate(bytes(open("ann", "5")), state), null);
});

test("the machine comes to the same on every node", () => {
	const names = ["zoe", "ann", "bob", "ida"];
	const commands = names.map((name, at) => bytes(open(name, `${at}00`)));
	for (let at = 0; at < 200; at += 1) {
		const [from, to] = [names[at % 4], names[(at * 7 + 1) % 4]];
		const command = bytes(transfer(from, to, `${at % 13}`, `memo ${at}`));
		// The first half was written before the cluster agreed upon level 2.
		commands.push(at < 100 ? { command, level: 1 } : command);
	}
	commands.push(Buffer.from("no command"));
	const queries = [{}, { account: "ann" }, { account: "none" }].map(bytes);
	assert.equal(checkMachine(bank, { commands, queries }).difference, null);
});
