const armour =
	/-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/;
const magic = "openssh-key-v1\0";

/**
 * The public part of an OpenSSH private key file, which is in the clear also where the rest is encrypted, as a line of a
 * .pub file; null when this is no such file.
 */
export function encryptedPublicKey(text: string): string | null {
	const body = armour.exec(text)?.[1];
	if (body === undefined) return null;
	const bytes = Buffer.from(body, "base64");
	if (bytes.toString("latin1", 0, magic.length) !== magic) return null;
	// Cipher, key derivation and its options, the number of keys, the first key.
	let at = magic.length;
	const part = (): Buffer | null => {
		if (at + 4 > bytes.length) return null;
		const end = at + 4 + bytes.readUInt32BE(at);
		if (end > bytes.length) return null;
		const found = bytes.subarray(at + 4, end);
		at = end;
		return found;
	};
	for (let skipped = 0; skipped < 3; skipped += 1)
		if (part() === null) return null;
	at += 4;
	const key = part();
	if (key === null || key.length < 4) return null;
	const type = key.toString("latin1", 4, 4 + key.readUInt32BE(0));
	return `${type} ${key.toString("base64")}`;
}
