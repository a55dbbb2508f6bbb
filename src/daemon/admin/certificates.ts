import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CertificatesSchema } from "../../wire/gen/raftctl/admin/v1/admin_pb.js";
import type { Material } from "../tls/material.js";
import { refusedReasons } from "./access/access.js";
import type { Family } from "./exposition.js";
import type { AdminSubject } from "./subject.js";

/** What is in use; undefined on a node that speaks no TLS. */
export function certificatesMessage({
	security: { credentials },
}: AdminSubject): MessageInitShape<typeof CertificatesSchema> | undefined {
	if (credentials === null) return undefined;
	const { leaf, clientLeaf, authorities } = credentials.material;
	return {
		...{ leaf, clientLeaf, authorities: [...authorities] },
		fault: credentials.fault ?? "",
	};
}

export function reloadCertificates(subject: AdminSubject) {
	const { credentials } = subject.security;
	const { nodeId } = subject.identity;
	subject.security.reload();
	if (credentials === null)
		throw new ConnectError(
			`${nodeId} speaks no TLS: its configuration has no tls`,
			Code.FailedPrecondition,
		);
	if (credentials.fault !== null)
		throw new ConnectError(
			`${nodeId} goes on with the certificates that it had: ${credentials.fault}`,
			Code.FailedPrecondition,
		);
	const certificates = certificatesMessage(subject);
	return certificates === undefined ? {} : { certificates };
}

export function securityFamilies({ security }: AdminSubject): Family[] {
	const { credentials, access } = security;
	return [
		{
			name: "raftd_admin_refused_total",
			type: "counter",
			help: "Calls on the admin port that were refused, by why.",
			samples: refusedReasons.map((reason) => ({
				labels: { reason },
				value: access.refused[reason],
			})),
		},
		{
			name: "raftd_certificate_expiry_seconds",
			type: "gauge",
			help: "When a certificate in use expires, in seconds since the Unix epoch; of several authorities the first to expire.",
			samples: credentials === null ? [] : expirySamples(credentials.material),
		},
		{
			name: "raftd_certificate_fault",
			type: "gauge",
			help: "1 while the files of certificates cannot be used and older ones are.",
			samples:
				credentials === null
					? []
					: [{ labels: {}, value: credentials.fault === null ? 0 : 1 }],
		},
	];
}

function expirySamples({ leaf, clientLeaf, authorities }: Material) {
	const ends = {
		node: leaf.expiresAtMs,
		client: clientLeaf.expiresAtMs,
		authority: Math.min(...authorities.map(({ expiresAtMs }) => expiresAtMs)),
	};
	return Object.entries(ends).map(([certificate, expiresAtMs]) => ({
		labels: { certificate },
		value: expiresAtMs / 1000,
	}));
}
