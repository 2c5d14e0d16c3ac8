/** More than any stack has, and little enough to be written often. */
const MAX_CHARS = 8192;
/** Causes of causes that are shown. */
const MAX_CAUSES = 3;

/** What was thrown, or a promise was rejected with, as text for the log: the stack where there is one, then those of its causes. Never throws. */
export function thrownText(thrown: unknown): string {
  try {
    const parts = [stackOf(thrown)];
    let inner = thrown;
    while (inner instanceof Error && inner.cause !== undefined && parts.length <= MAX_CAUSES) {
      inner = inner.cause;
      parts.push(`caused by ${stackOf(inner)}`);
    }
    return parts.join('\n').slice(0, MAX_CHARS);
  } catch {
    return `a value that cannot be shown (${typeof thrown})`;
  }
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? String(thrown.stack ?? thrown.message) : String(thrown);
}
