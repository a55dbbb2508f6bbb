import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server, type TLSSocket } from "node:tls";

/** A server's TLS, ended before it; its certificate is one that no public authority has signed. */
export class TlsFront {
	readonly endpoint: string;
	/** PEM. */
	readonly authority: string;
	readonly #server: Server;
	readonly #open = new Set<TLSSocket>();

	private constructor(server: Server, authority: string) {
		this.#server = server;
		this.authority = authority;
		const { port } = server.address() as AddressInfo;
		this.endpoint = `https://127.0.0.1:${port}`;
		server.on("secureConnection", (socket) => this.#open.add(socket));
	}

	/** In front of what listens at `port` of this machine. */
	static async start(port: string): Promise<TlsFront> {
		const { key, cert } = certificate();
		const server = createServer({ key, cert }, (socket) => {
			const behind = connect(Number(port), "127.0.0.1");
			const end = () => {
				socket.destroy();
				behind.destroy();
			};
			socket.on("error", end).on("close", end);
			behind.on("error", end).on("close", end);
			socket.pipe(behind).pipe(socket);
		});
		await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
		return new TlsFront(server, cert);
	}

	close(): void {
		for (const socket of this.#open) socket.destroy();
		this.#server.close();
	}
}

/** Signed by itself, in PEM. */
export function certificate(): { readonly key: string; readonly cert: string } {
	const directory = mkdtempSync(join(tmpdir(), "certificate-"));
	const [key, cert] = [join(directory, "key"), join(directory, "cert")];
	try {
		execFileSync(
			"openssl",
			[
				...["req", "-x509", "-newkey", "ec", "-nodes", "-days", "2"],
				...["-pkeyopt", "ec_paramgen_curve:prime256v1"],
				...["-subj", "/CN=s3 of the tests"],
				...["-addext", "subjectAltName=IP:127.0.0.1"],
				...["-keyout", key, "-out", cert],
			],
			{ stdio: "pipe" },
		);
		return {
			...{ key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") },
		};
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}
