import { styleText } from 'node:util';
import { wantsColor } from '../config/format-diagnostics.ts';

/** Where a command prints, as far as it makes a difference: `process.stdout`, or a stand-in. */
export interface Terminal {
  readonly isTTY?: boolean;
  /** Columns. */
  readonly columns?: number;
  write(text: string): unknown;
}

type Style = Parameters<typeof styleText>[0];

/** Whether it shows colours, and nobody has asked for none. */
export function isColoured({ isTTY }: Terminal): boolean {
  return wantsColor(process.env, isTTY === true);
}

/** A way to style text. */
export type Paint = (style: Style, text: string) => string;

export function paintFor(terminal: Terminal): Paint {
  return isColoured(terminal)
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text;
}

/** How wide lines may be; null where nothing bounds them, as in a file. */
export function widthOf({ isTTY, columns }: Terminal): number | null {
  return isTTY === true && columns !== undefined && columns > 0 ? columns : null;
}

/** A terminal obeys control characters, so they never reach it. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\u{fffd}');
}
