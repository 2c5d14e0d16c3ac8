const OF_HTTP_1_0 = 'Via: 1.0 photon\r\nX-Request-ID: ';
const OF_HTTP_1_1 = 'Via: 1.1 photon\r\nX-Request-ID: ';

/**
 * The lines that trace a message, the same in both directions: Via (RFC 9110 7.6.3), with the version that it came
 * in (`1.x`, by `x`), and the id of the request.
 */
export function traceLines(versionMinor: number, requestId: string): string {
  return `${versionMinor === 1 ? OF_HTTP_1_1 : OF_HTTP_1_0}${requestId}\r\n`;
}
