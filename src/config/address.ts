import { z } from "zod";

const addressPattern =
	/^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):\d{1,5}$/;

export const address = z
	.string()
	.regex(addressPattern, {
		error: "must be host:port, for example 127.0.0.1:7110",
		abort: true,
	})
	.refine((text) => {
		const port = Number(text.slice(text.lastIndexOf(":") + 1));
		return port >= 1 && port <= 65_535;
	}, "has a port outside 1 to 65535");
