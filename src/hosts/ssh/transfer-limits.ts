/** Of a file on its way to a host or from one. What limits it is that it gets on, not how long it takes. */
export const transferLimitMs = 6 * 3_600_000;
/** Nothing went through for so long: the line is given up, not the file. */
export const stallMs = 30_000;
/** In a row without a byte more on the receiving side. */
export const attemptsWithoutProgress = 3;
/** The other side computes a hash of all that is there. */
export const hashTimeoutMs = 300_000;
/** What the commands that go with it may say. */
export const outputLimitBytes = 64 * 1024;
