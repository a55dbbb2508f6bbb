import { reasonOf } from "../../errors.js";
import { faultOf } from "./verdict.js";

/** Why a connection did not come about, for a person; any other error in its own words. */
export function handshakeFault(error: Error): string {
	const { code = "" } = error as NodeJS.ErrnoException;
	return verifyCodes.test(code)
		? `the certificate that is shown there is not accepted: ${faultOf(code)}`
		: (words[code] ?? reasonOf(error));
}

const verifyCodes =
	/^(CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_(CA|PURPOSE)|PATH_LENGTH|HOSTNAME_MISMATCH)/;

const noTls = "what speaks there speaks no TLS";

const words: Readonly<Record<string, string>> = {
	ERR_SSL_WRONG_VERSION_NUMBER: noTls,
	ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
	ERR_SSL_HTTP_REQUEST: "it speaks plain HTTP, and this port speaks TLS",
	ERR_SSL_UNSUPPORTED_PROTOCOL: "it speaks no version of TLS that is accepted",
	ERR_SSL_NO_SHARED_CIPHER: "it speaks no cipher that is accepted",
	ERR_TLS_HANDSHAKE_TIMEOUT: "the handshake took too long",
	ERR_SSL_TLSV1_ALERT_UNKNOWN_CA:
		"the other side does not trust the authority of this node's certificate",
	ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED:
		"the other side says that this node's certificate has expired",
	ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE:
		"the other side does not accept this node's certificate",
};
