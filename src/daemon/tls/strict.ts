import { constants } from "node:crypto";

/** Every connection is verified for itself: one that is resumed would be taken at the word of an earlier one. */
export const strict = {
	minVersion: "TLSv1.3",
	secureOptions: constants.SSL_OP_NO_TICKET,
} as const;
