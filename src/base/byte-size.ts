const POWERS = ['', 'K', 'M', 'G', 'T'];

const SIZE = /^(\d{1,16})\s*([KMGT]?)(?:I?B)?$/;

/**
 * Reads a size such as `65536`, `64KB` or `1MiB` as bytes. KB and KiB are both 1,024 bytes, MB and MiB both 1,024 KiB, and
 * so on, as in nginx and HAProxy; the B may be left out (`64k`) and letter case does not matter.
 *
 * @throws SyntaxError whose message says what was wanted
 */
export function parseByteSize(text: string): number {
  const match = SIZE.exec(text.toUpperCase());
  const bytes = Number(match?.[1]) * 1024 ** POWERS.indexOf(match?.[2] ?? '');
  if (!Number.isSafeInteger(bytes)) throw new SyntaxError('a size in bytes such as 65536, "64KB" or "1MiB"');
  return bytes;
}
