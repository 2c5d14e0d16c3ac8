import type { RegexNode } from './regex-syntax.ts';

export const EVERY_BYTE: bigint = (1n << 256n) - 1n;

/** The bytes that what a part matches may begin with. */
export function firstBytes(node: RegexNode): bigint {
  switch (node.kind) {
    case 'character':
      return node.set;
    case 'boundary':
    case 'look':
      return 0n;
    case 'reference':
      return EVERY_BYTE;
    case 'sequence':
      return firstOfSequence(node.parts);
    case 'choice':
      return node.options.reduce((bytes, option) => bytes | firstBytes(option), 0n);
    case 'repeat':
      return node.max === 0 ? 0n : firstBytes(node.body);
  }
}

function firstOfSequence(parts: readonly RegexNode[]): bigint {
  let bytes = 0n;
  for (const part of parts) {
    bytes |= firstBytes(part);
    if (!isNullable(part)) break;
  }
  return bytes;
}

/** Whether a part may match nothing. */
export function isNullable(node: RegexNode): boolean {
  switch (node.kind) {
    case 'character':
      return false;
    case 'boundary':
    case 'look':
    case 'reference':
      return true;
    case 'sequence':
      return node.parts.every(isNullable);
    case 'choice':
      return node.options.some(isNullable);
    case 'repeat':
      return node.min === 0 || isNullable(node.body);
  }
}
