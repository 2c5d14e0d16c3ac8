/** A head of HTTP/1.1 of these lines: the start line and the field lines. */
export function headOfLines(lines: readonly string[]): string {
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The lines of a head that was encoded, without their line ends and the empty line. */
export function linesOfHead(head: string): readonly string[] {
  return head.slice(0, -4).split('\r\n');
}
