import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
	CreateBucketCommand,
	GetObjectCommand,
	ListMultipartUploadsCommand,
	ListObjectsV2Command,
	S3Client,
} from "@aws-sdk/client-s3";
import type { S3Credentials } from "../../../src/daemon/backup/s3-bucket.js";
import type { S3Target } from "../../../src/machines/control.js";

// How long the client's makers will support this Node.js is no news here.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";

/** Debian's, which has the packages of Debian. */
const python = "/usr/bin/python3";
const program = join(import.meta.dirname, "s3-server.py");
const found = spawnSync(python, ["-c", "import swift.proxy"]).status === 0;

/** On a person's machine Swift may be absent; where the project is proven, it may not (scripts/test.sh). */
export const skipS3 = !found && process.env.CI !== "true";

/** OpenStack Swift, which speaks as S3 does and looks at signatures, with one bucket. */
export class S3Server {
	readonly credentials: S3Credentials = {
		accessKeyId: "test:raftd",
		secretAccessKey: "a-secret-of-the-tests",
	};
	readonly target: S3Target;
	readonly #child: ChildProcess;
	readonly #directory: string;
	readonly #client: S3Client;

	private constructor(child: ChildProcess, directory: string, port: string) {
		this.#child = child;
		this.#directory = directory;
		this.target = {
			endpoint: `http://127.0.0.1:${port}`,
			...{ bucket: "backups", prefix: "raft", region: "us-east-1" },
		};
		this.#client = new S3Client({
			...{ endpoint: this.target.endpoint, region: "us-east-1" },
			...{ credentials: this.credentials, forcePathStyle: true },
		});
	}

	static async start(): Promise<S3Server> {
		const directory = mkdtempSync(join(tmpdir(), "s3-"));
		const child = spawn(
			python,
			[program, directory, "raftd", "a-secret-of-the-tests"],
			{ stdio: ["pipe", "pipe", "pipe"] },
		);
		let words = "";
		child.stderr.on("data", (bytes) => {
			words += bytes;
		});
		const port = await new Promise<string>((resolve, reject) => {
			child.stdout.once("data", (bytes) => resolve(String(bytes).trim()));
			child.once("exit", () => reject(new Error(`no S3 server: ${words}`)));
		});
		const server = new S3Server(child, directory, port);
		const { bucket } = server.target;
		await server.#client.send(new CreateBucketCommand({ Bucket: bucket }));
		return server;
	}

	async get(key: string): Promise<Buffer> {
		const { bucket } = this.target;
		const { Body } = await this.#client.send(
			new GetObjectCommand({ Bucket: bucket, Key: key }),
		);
		return Buffer.from((await Body?.transformToByteArray()) ?? []);
	}

	async keys(): Promise<string[]> {
		const { bucket } = this.target;
		const { Contents = [] } = await this.#client.send(
			new ListObjectsV2Command({ Bucket: bucket }),
		);
		return Contents.map(({ Key = "" }) => Key).sort();
	}

	/** Keys of what was begun and neither completed nor given up. */
	async uploads(): Promise<string[]> {
		const { bucket } = this.target;
		const { Uploads = [] } = await this.#client.send(
			new ListMultipartUploadsCommand({ Bucket: bucket }),
		);
		return Uploads.map(({ Key = "" }) => Key);
	}

	close(): void {
		this.#client.destroy();
		this.#child.kill("SIGKILL");
		rmSync(this.#directory, { recursive: true, force: true });
	}
}
