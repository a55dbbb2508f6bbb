import { openVoice, type Voice } from "./systemd-voice.js";

/**
 * Tells systemd (Type=notify) how the process is doing: that it serves, that it stops, what it is in a line, and, where
 * the unit has a watchdog, that its event loop turns. Best effort: without it the node runs just as well. The unit needs
 * NotifyAccess=all, as a child speaks (systemd-voice.ts).
 */
export function openSystemd(options: SystemdOptions): Systemd {
	const { socket } = options;
	if (socket === undefined || socket === "") return silent;
	return new SystemdUnit({ ...options, socket });
}

export interface Systemd {
	/** It serves: from now on, at each beat, `status` is told if it changed. */
	ready(status: () => string): void;
	stopping(): void;
	/** What was said is still told; nothing more is. */
	close(): void;
}

interface SystemdOptions {
	/** NOTIFY_SOCKET as systemd set it: a path, or @ and an abstract name. Undefined: nobody listens. */
	readonly socket: string | undefined;
	/** WATCHDOG_USEC and WATCHDOG_PID as systemd set them; undefined where the unit has no watchdog. */
	readonly watchdogUsec: string | undefined;
	readonly watchdogPid: string | undefined;
	/** Where to find programs, as in PATH. */
	readonly path: string | undefined;
	readonly pid: number;
	onFailure(error: Error): void;
}

const silent: Systemd = { ready() {}, stopping() {}, close() {} };

/** How often a changed status is told where there is no watchdog. */
const statusIntervalMs = 5_000;
/** systemd ends what was silent for the whole time; two beats may be late. */
const beatsPerWatchdog = 3;
/** Beyond it Node.js takes any time for 1 ms. */
const longestTimerMs = 2 ** 31 - 1;

class SystemdUnit implements Systemd {
	readonly #voice: Voice;
	readonly #beatMs: number | null;
	#status: () => string = () => "";
	#told = "";
	#phase: "starting" | "serving" | "stopping" = "starting";
	#timer: NodeJS.Timeout | null = null;

	constructor(options: SystemdOptions & { readonly socket: string }) {
		this.#beatMs = watchdogBeatMs(options);
		this.#voice = openVoice({
			...options,
			opening: () => [`MAINPID=${options.pid}`, ...this.#whatHolds()],
		});
	}

	ready(status: () => string): void {
		this.#status = status;
		this.#told = status();
		this.#phase = "serving";
		this.#voice.open();
		// On the loop, that it starves with it: a beat from anywhere else would vouch for a process that is stuck.
		this.#timer = setInterval(
			() => this.#beat(),
			this.#beatMs ?? statusIntervalMs,
		);
		this.#timer.unref();
	}

	stopping(): void {
		this.#phase = "stopping";
		this.#voice.say("STOPPING=1");
	}

	close(): void {
		if (this.#timer !== null) clearInterval(this.#timer);
		this.#voice.close();
	}

	/** Goes on while the process stops, which takes its time and may get stuck, too. */
	#beat(): void {
		if (this.#beatMs !== null) this.#voice.say("WATCHDOG=1");
		if (this.#phase === "stopping") return;
		const status = this.#status();
		if (status === this.#told) return;
		this.#told = status;
		this.#voice.say(`STATUS=${status}`);
	}

	/** What a voice that is new must know, whoever spoke before. */
	#whatHolds(): readonly string[] {
		if (this.#phase === "starting") return [];
		const status = `STATUS=${this.#told}`;
		return this.#phase === "serving"
			? ["READY=1", status]
			: ["STOPPING=1", status];
	}
}

/** As sd_watchdog_enabled(3): null where no watchdog is meant for this process. */
export function watchdogBeatMs(options: {
	readonly watchdogUsec: string | undefined;
	readonly watchdogPid: string | undefined;
	readonly pid: number;
}): number | null {
	const { watchdogUsec = "", watchdogPid = "", pid } = options;
	if (watchdogPid !== "" && watchdogPid !== String(pid)) return null;
	if (!/^[1-9]\d{0,14}$/.test(watchdogUsec)) return null;
	const beatMs = Math.floor(Number(watchdogUsec) / 1000 / beatsPerWatchdog);
	return Math.min(Math.max(1, beatMs), longestTimerMs);
}
