/** Milliseconds of each unit, longest first. */
const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

const DURATION = new RegExp(`^${UNITS.map(([unit]) => `(?:(\\d{1,15})${unit}(?![a-z])\\s*)?`).join('')}$`);

/**
 * Reads a duration such as `30s`, `1h 30m` or `100ms` as milliseconds. Units are d, h, m, s and ms, each at most once, the
 * longer first; blanks may stand between them, and a bare number has no unit and is refused.
 *
 * @throws SyntaxError whose message says what was wanted
 */
export function parseDuration(text: string): number {
  const match = text === '' ? null : DURATION.exec(text);
  const ms = UNITS.reduce((sum, [, unitMs], index) => sum + Number(match?.[index + 1] ?? 0) * unitMs, 0);
  if (match === null || !Number.isSafeInteger(ms))
    throw new SyntaxError('a duration such as "30s", "1h 30m" or "100ms"');
  return ms;
}

/** Writes milliseconds as `parseDuration` reads them: `1h 30m`, `100ms`, `0s`. */
export function formatDuration(ms: number): string {
  let rest = ms;
  const parts = UNITS.flatMap(([unit, unitMs]) => {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    return count === 0 ? [] : [`${count}${unit}`];
  });
  return parts.length === 0 ? '0s' : parts.join(' ');
}
