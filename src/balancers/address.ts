/** host and port of "host:port" or "[v6]:port". */
export function splitAddress(address: string): { host: string; port: number } {
	const colon = address.lastIndexOf(":");
	return {
		host: address.slice(0, colon).replace(/^\[(.*)\]$/, "$1"),
		port: Number(address.slice(colon + 1)),
	};
}
