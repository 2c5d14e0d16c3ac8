/** How a text is fetched over HTTP; what goes beyond the limits is an error. */
export interface FetchLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/**
 * The body of a 200 reply as UTF-8. Redirects are not followed: where the keys are is for the configuration to say, and not for
 * whoever answers there. Rejects with an Error of one line.
 */
export async function fetchText(
  url: string,
  { timeoutMs, maxBytes }: FetchLimits,
  closing: AbortSignal,
): Promise<string> {
  const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), closing]);
  const response = await fetch(url, { redirect: 'error', signal, headers: { accept: 'application/json' } });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the status is ${response.status}`);
  }
  return new TextDecoder('utf-8', { fatal: true }).decode(await bytesOf(response, maxBytes));
}

async function bytesOf({ body }: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
