import type { Client } from "ssh2";
import constants from "ssh2/lib/protocol/constants.js";
import { certificateTypes } from "./host-certificate.js";
import { typeOf } from "./known-hosts.js";

/**
 * ssh2 1.17.0 knows no host certificates: it would neither ask for one nor find the key in it. Its exchange is helped in
 * two places, and only for hosts that an authority vouches for. Should another ssh2 work differently, the host's signature
 * does not fit and nobody is let in: a test with a real sshd shows it.
 */
export function allowCertificates(): void {
	const { SUPPORTED_SERVER_HOST_KEY: supported } = constants;
	for (const type of certificateTypes)
		if (!supported.includes(type)) supported.push(type);
}

/** As much of ssh2's exchange as is touched. */
interface Exchange {
	_hostKey: Buffer | undefined;
	readonly negotiated: { serverHostKey: string };
}

/**
 * To be called by the verifier of host keys when it takes the certificate: the hash over the exchange has the certificate
 * in it, as the host showed it, and is signed by the key, in the key's own algorithm.
 */
export function exchangeByKey(
	client: Client,
	certificate: Buffer,
	key: Buffer,
): void {
	const { _protocol: protocol } = client as unknown as {
		readonly _protocol?: { readonly _kex?: Exchange };
	};
	const exchange = protocol?._kex;
	const type = typeOf(key);
	if (
		exchange?._hostKey === undefined ||
		type === null ||
		!exchange._hostKey.equals(certificate) ||
		exchange.negotiated.serverHostKey !== typeOf(certificate)
	)
		throw new Error("this ssh2 exchanges keys in another way");
	exchange.negotiated.serverHostKey = type;
	let hashed = false;
	Object.defineProperty(exchange, "_hostKey", {
		configurable: true,
		get() {
			if (hashed) return key;
			hashed = true;
			return certificate;
		},
		set(value: Buffer | undefined) {
			Object.defineProperty(exchange, "_hostKey", {
				...{ configurable: true, writable: true, value },
			});
		},
	});
}
