/** What raftd does besides running a node: each looks at a data directory and changes nothing. */
export const offlineWords = ["doctor", "dump", "replay"] as const;
export type OfflineWord = (typeof offlineWords)[number];
