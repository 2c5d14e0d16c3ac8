import type { Terminal } from '../../src/cli/terminal.ts';

/** What a command printed. Without columns it is a file or a pipe, with them a terminal of that width. */
export class CapturedTerminal implements Terminal {
  readonly isTTY: boolean;
  readonly columns: number;
  text = '';

  constructor(columns = 0) {
    this.isTTY = columns > 0;
    this.columns = columns;
  }

  get lines(): readonly string[] {
    return this.text.split('\n').slice(0, -1);
  }

  write(text: string): void {
    this.text += text;
  }
}
