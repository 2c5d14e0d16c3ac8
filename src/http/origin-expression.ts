/**
 * The regular expression that an origin is held against, for one that a configuration has. Without an end, `^https://example\.com` would also be
 * `https://example.com.evil.net`: nobody means that, so the end is ours to write.
 */
export function originExpression(source: string): string {
  return `^(?:${source})$`;
}
