/** The polynomial of CRC-32C (RFC 9260 appendix A), its bits in reverse. */
const POLYNOMIAL = 0x82f63b78;

/** The CRC-32C of the bytes, as an unsigned number. Bit by bit: it is for headers of connections, of which few have one. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) === 0 ? 0 : POLYNOMIAL);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
