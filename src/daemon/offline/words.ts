/** What raftd does with files alone, beside looking at a data directory: no cluster is needed. */
export const fileWords = ["snapshot", "inspect"] as const;
export type FileWord = (typeof fileWords)[number];
