import { trimBlanks } from '../../http/characters.ts';
import type { RequestHead } from '../../http/request-head.ts';
import type { ResponseHead } from '../../http/response-head.ts';

/** Options that name fields which never pass the gateway anyway: nothing has to be looked for. */
const ALWAYS_HOP_BY_HOP: ReadonlySet<string> = new Set([
  'te',
  'upgrade',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'http2-settings',
]);

/**
 * Reads one `Connection` field into the head (RFC 9110 7.6.1, RFC 9112 9.3): `keep-alive` keeps an HTTP/1.0 connection, any
 * option but it and `close` names a field that must not pass. Returns true when `close` is among them: the caller lets it
 * win over whatever other fields say.
 */
export function readConnectionField(head: RequestHead | ResponseHead, value: string): boolean {
  if (value === 'keep-alive') {
    head.persistent = true;
    return false;
  }
  let closes = false;
  for (const part of value.split(',')) {
    const option = trimBlanks(part).toLowerCase();
    if (option === 'close') closes = true;
    else if (option === 'keep-alive') head.persistent = true;
    else if (option !== '' && !ALWAYS_HOP_BY_HOP.has(option)) head.namesHopByHopFields = true;
  }
  return closes;
}
