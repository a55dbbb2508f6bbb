import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import vm from "node:vm";
import { crc32 } from "node:zlib";

/**
 * Evaluates a CommonJS bundle, from V8's compiled code where `kept`, the bytes of a file, is of this bundle; compiling is
 * half of what a short command takes. `compiled` of the result makes such bytes of what was compiled until then.
 */
export function loadCli(path, kept) {
	const bytes = readFileSync(path);
	const cachedData = kept === undefined ? undefined : codeOf(kept, bytes);
	const script = new vm.Script(
		// It is ASCII (build.mjs), and read as such in a third of the time.
		`(function (exports, require, module, __filename, __dirname) { ${bytes.latin1Slice()}\n})`,
		{
			filename: path,
			cachedData,
			importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
		},
	);
	const module = { exports: {} };
	script.runInThisContext()(
		module.exports,
		createRequire(path),
		module,
		path,
		dirname(path),
	);
	const compiled = () => {
		const code = script.createCachedData();
		return Buffer.concat([code, sealOf(code, bytes)]);
	};
	return { ...module.exports, compiled };
}

/**
 * Undefined unless the code is whole, and of this very source, Node.js and kind of processor. V8 looks at its own version
 * and at lengths, and believes the rest: half a file would end the process, and that of a former build run in its place.
 */
function codeOf(kept, source) {
	const origin = originOf(source);
	const end = kept.length - origin.length - sumBytes;
	if (end < 0 || !kept.subarray(end + sumBytes).equals(origin))
		return undefined;
	const code = kept.subarray(0, end);
	return kept.readUInt32LE(end) === crc32(code) ? code : undefined;
}

/** Behind the code are its sum and what it was made of, and where. */
function sealOf(code, source) {
	const sum = Buffer.alloc(sumBytes);
	sum.writeUInt32LE(crc32(code));
	return Buffer.concat([sum, originOf(source)]);
}

const sumBytes = 4;

function originOf(source) {
	const { version, platform, arch } = process;
	return Buffer.from(`${version} ${platform} ${arch} ${crc32(source)}\n`);
}
