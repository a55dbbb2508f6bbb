import { defineMachine } from "raftctl/machine";

/**
 * A bank: accounts with balances in the smallest unit of a currency, without an upper limit.
 *
 * Level 1 knows open and transfer. Level 2 adds a memo to a transfer, kept with the account that received it.
 *
 * @typedef {{ balance: bigint, memo: string }} Account
 * @typedef {{ accounts: Map<string, Account> }} Bank
 */
export default defineMachine({
	name: "bank",
	levels: { reads: [1, 2], writes: 2 },
	create: () => ({ accounts: new Map() }),
	apply,
	query,
	validate: (bytes) => faultOf(parsed(bytes)),
	snapshot,
	restore,
});

/** Every command has a result, also one that makes no sense: it may be in the log already. */
function apply(/** @type {Bank} */ bank, bytes, { level, emit }) {
	const command = parsed(bytes);
	// The texts of results are our own: the runtime's change from one version to the next.
	if (faultOf(command) !== null) return encoded({ ok: false, why: "invalid" });
	if (command.op === "open") return open(bank, command, emit);
	return transfer(bank, command, { level, emit });
}

function open({ accounts }, { account, amount }, emit) {
	if (accounts.has(account)) return encoded({ ok: false, why: "exists" });
	accounts.set(account, { balance: BigInt(amount), memo: "" });
	emit(encoded({ op: "open", account, amount }));
	return encoded({ ok: true });
}

function transfer({ accounts }, command, { level, emit }) {
	const { from, to, memo = "" } = command;
	const amount = BigInt(command.amount);
	const source = accounts.get(from);
	const target = accounts.get(to);
	if (source === undefined || target === undefined || from === to)
		return encoded({ ok: false, why: "no such account" });
	if (source.balance < amount) return encoded({ ok: false, why: "balance" });
	source.balance -= amount;
	target.balance += amount;
	const event = { op: "transfer", from, to, amount: `${amount}` };
	// A command of level 1 means what it meant to the release that wrote it, whatever fields it has.
	if (level >= 2 && memo !== "") {
		target.memo = memo;
		event.memo = memo;
	}
	emit(encoded(event));
	return encoded({ ok: true, left: `${source.balance}` });
}

/** `{"account": name}` for one account, `{}` for the sum of all. */
function query(/** @type {Bank} */ { accounts }, bytes) {
	const { account } = parsed(bytes) ?? {};
	if (account === undefined) {
		let sum = 0n;
		for (const { balance } of accounts.values()) sum += balance;
		return encoded({ sum: `${sum}`, accounts: accounts.size });
	}
	const found = accounts.get(account);
	if (found === undefined) return encoded({ found: false });
	const { balance, memo } = found;
	return encoded({ found: true, balance: `${balance}`, memo });
}

/**
 * Until the cluster writes level 2 a node may go back to the release before, which knows nothing of memos: there is
 * none yet, and the form is the old one.
 */
function snapshot(/** @type {Bank} */ { accounts }, level) {
	// Sorted by code unit: a Map that was restored has another order, and localeCompare differs between machines. The
	// copy is taken now; what is applied while the chunks are read must not show.
	const names = [...accounts.keys()].sort();
	const lines = names.map((name) => {
		const { balance, memo } = accounts.get(name);
		const fields = [name, `${balance}`];
		return `${JSON.stringify(level >= 2 ? [...fields, memo] : fields)}\n`;
	});
	return inChunks(lines);
}

function* inChunks(lines) {
	for (let at = 0; at < lines.length; at += 1000)
		yield Buffer.from(lines.slice(at, at + 1000).join(""));
}

function restore(chunks) {
	const text = Buffer.concat([...chunks]).toString();
	const accounts = new Map();
	for (const line of text.split("\n")) {
		if (line === "") continue;
		const [name, balance, memo = ""] = JSON.parse(line);
		accounts.set(name, { balance: BigInt(balance), memo });
	}
	return { accounts };
}

/** Why the command can never be executed; null for one that can. */
function faultOf(command) {
	if (command === null) return "a command is a JSON object";
	const { op, account, from, to, amount, memo } = command;
	// A JSON number loses its last digits from 2^53 on: amounts are text.
	if (typeof amount !== "string" || !/^\d{1,40}$/.test(amount))
		return '"amount" is a whole number as text, such as "250"';
	if (op === "open") return isName(account) ? null : '"account" is a name';
	if (op !== "transfer") return '"op" is "open" or "transfer"';
	if (!isName(from) || !isName(to)) return '"from" and "to" are names';
	if (memo !== undefined && (typeof memo !== "string" || memo.length > 140))
		return '"memo" is text of at most 140 characters';
	return null;
}

function isName(value) {
	return typeof value === "string" && /^[a-z0-9-]{1,64}$/.test(value);
}

function parsed(bytes) {
	try {
		const value = JSON.parse(Buffer.from(bytes).toString());
		return typeof value === "object" && !Array.isArray(value) ? value : null;
	} catch {
		return null;
	}
}

function encoded(value) {
	return Buffer.from(JSON.stringify(value));
}
