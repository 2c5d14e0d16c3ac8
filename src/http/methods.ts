/** RFC 9110 9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/**
 * The method that `text` begins with, up to `end`. The common ones come as constants, whose hash is known: a string cut out of
 * a head would be hashed anew by every look-up in a Set or Map.
 */
export function methodOf(text: string, end: number): string {
  switch (end) {
    case 3:
      if (text.startsWith('GET')) return 'GET';
      if (text.startsWith('PUT')) return 'PUT';
      break;
    case 4:
      if (text.startsWith('POST')) return 'POST';
      if (text.startsWith('HEAD')) return 'HEAD';
      break;
    case 5:
      if (text.startsWith('PATCH')) return 'PATCH';
      break;
    case 6:
      if (text.startsWith('DELETE')) return 'DELETE';
      break;
    case 7:
      if (text.startsWith('OPTIONS')) return 'OPTIONS';
      break;
    default:
  }
  return text.slice(0, end);
}

/** True when sending a request of this method twice has the effect of sending it once. */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}

/** The methods that a gateway passes in general: the value of Allow where no route says more. */
export const COMMON_METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS';
