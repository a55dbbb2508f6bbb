import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
	type Authority,
	createAuthority,
	issueLeaf,
} from "../../src/certificates/issue.js";
import type { TlsFiles } from "../../src/daemon/tls/material.js";
import type { Role } from "../../src/wire/certificate-names.js";

const day = 86_400_000;

export const longAgo = new Date(Date.now() - 20 * day);
export const yesterday = new Date(Date.now() - day);
export const tomorrow = new Date(Date.now() + day);
export const nextYear = new Date(Date.now() + 365 * day);

interface Dates {
	readonly notBefore?: Date;
	readonly notAfter?: Date;
}

/** A real authority that exists for one test, and what it issues for one cluster. */
export class TestAuthority {
	readonly clusterId: string;
	readonly authority: Authority;

	static async create(
		clusterId: string,
		{ notBefore = longAgo, notAfter = nextYear }: Dates = {},
	): Promise<TestAuthority> {
		const wish = { clusterName: clusterId, notBefore, notAfter };
		return new TestAuthority(clusterId, await createAuthority(wish));
	}

	private constructor(clusterId: string, authority: Authority) {
		this.clusterId = clusterId;
		this.authority = authority;
	}

	get certificate(): string {
		return this.authority.certificate;
	}

	/** Certificate and key of a node on this machine. */
	node(
		id: string,
		{ notBefore = longAgo, notAfter = nextYear }: Dates = {},
	): Promise<string> {
		const { clusterId } = this;
		return issueLeaf(this.authority, {
			...{ commonName: id, names: ["localhost", "127.0.0.1"] },
			speaksFor: { kind: "node", clusterId, node: id },
			...{ isServer: true, notBefore, notAfter },
		});
	}

	role(
		role: Role,
		{ notBefore = longAgo, notAfter = nextYear }: Dates = {},
	): Promise<string> {
		const { clusterId } = this;
		return issueLeaf(this.authority, {
			...{ commonName: role, names: [] },
			speaksFor: { kind: "role", clusterId, role },
			...{ isServer: false, notBefore, notAfter },
		});
	}
}

/** Puts them where a node reads them, each file replaced at once. */
export function writeTlsFiles(
	directory: string,
	{ ca, leaf }: { readonly ca: string; readonly leaf: string },
): TlsFiles {
	mkdirSync(directory, { recursive: true });
	const put = (name: string, content: string) => {
		const path = join(directory, name);
		writeFileSync(`${path}.new`, content, { mode: 0o600 });
		renameSync(`${path}.new`, path);
		return path;
	};
	const own = { ca: put("ca.crt", ca), cert: put("node.pem", leaf) };
	const shown = { ...own, key: own.cert };
	return { ...shown, client: { ...shown, clientCertificates: "none" } };
}
