const MILLISECONDS: readonly string[] = Array.from({ length: 1000 }, (_, ms) => String(ms).padStart(3, '0'));

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Formats times that come in order: most of them fall into the second of the one before. */
class SecondText {
  readonly #format: (date: Date) => string;
  /** When that second began, milliseconds since 1970. */
  startMs = Number.NEGATIVE_INFINITY;
  text = '';

  /** `format` writes a date up to its second. */
  constructor(format: (date: Date) => string) {
    this.#format = format;
  }

  /** Moves to the second that `ms`, milliseconds since 1970, is in. */
  moveTo(ms: number): void {
    const passedMs = ms - this.startMs;
    if (passedMs >= 0 && passedMs < 1000) return;
    this.startMs = Math.floor(ms / 1000) * 1000;
    this.text = this.#format(new Date(this.startMs));
  }
}

/** `2026-01-31T12:30:01.123Z`. */
export class IsoTime {
  readonly #second = new SecondText((date) => date.toISOString().slice(0, -'000Z'.length));

  /** @param ms milliseconds since 1970 */
  of(ms: number): string {
    this.#second.moveTo(ms);
    return `${this.#second.text}${MILLISECONDS[Math.floor(ms - this.#second.startMs)]}Z`;
  }
}

/** `31/Jan/2026:12:30:01 +0000`, the time of the common log format. */
export class CommonLogTime {
  readonly #second = new SecondText((date) => {
    const [day, time] = date.toISOString().split('T') as [string, string];
    const [year, month, dayOfMonth] = day.split('-');
    return `${dayOfMonth}/${MONTHS[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
  });

  /** @param ms milliseconds since 1970 */
  of(ms: number): string {
    this.#second.moveTo(ms);
    return this.#second.text;
  }
}

/** Milliseconds with three decimals. */
export function decimalMs(ms: number): string {
  const us = Math.max(0, Math.round(ms * 1000));
  const whole = Math.floor(us / 1000);
  return `${whole}.${MILLISECONDS[us - whole * 1000]}`;
}
