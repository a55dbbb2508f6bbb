import { z } from "zod";

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export const name = z.string().regex(namePattern, {
	error:
		"must be 1 to 63 letters, digits, dots, dashes or underscores, beginning with a letter or digit",
	abort: true,
});
