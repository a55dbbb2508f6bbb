/**
 * Tells systemd (Type=notify) how the process is doing. Node.js has no datagram sockets of the unix kind, so
 * systemd-notify speaks; the unit needs NotifyAccess=all. Best effort: without it the node runs just as well.
 */
export function systemdNotifier(options: SystemdOptions): SystemdNotifier {
	const { socket } = options;
	if (socket === undefined || socket === "") return async () => {};
	return async (state) => {
		const { execFile } = await import("node:child_process");
		await new Promise<void>((resolve) => {
			execFile(
				"systemd-notify",
				[`--pid=${options.pid}`, ...argumentsFor[state]],
				{
					env: { NOTIFY_SOCKET: socket, PATH: options.path },
					timeout: timeoutMs,
				},
				(error) => {
					if (error !== null) options.onFailure(error);
					resolve();
				},
			);
		});
	};
}

interface SystemdOptions {
	/** NOTIFY_SOCKET as systemd set it: a path, or @ and an abstract name. Undefined: nobody listens. */
	readonly socket: string | undefined;
	/** Where to find systemd-notify, as in PATH. */
	readonly path: string | undefined;
	readonly pid: number;
	onFailure(error: Error): void;
}

/** Resolves when it was said, or could not be. */
type SystemdNotifier = (state: "ready" | "stopping") => Promise<void>;

const timeoutMs = 5000;

const argumentsFor = {
	ready: ["--ready"],
	stopping: ["STOPPING=1"],
} as const;
