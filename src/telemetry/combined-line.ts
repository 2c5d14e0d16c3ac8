import { type AccessRecord, LIMIT } from './access-record.ts';
import { combinedText } from './line-text.ts';
import { pathOf, type QueryPolicy, queryOf } from './redact.ts';
import { CommonLogTime } from './time-stamp.ts';

/**
 * `client - - [time] "request line" status bytes "referer" "user agent"`, escaped as nginx does, and nothing after it: the tools
 * that read this format are strict. A dash stands for what is not there.
 */
export function combinedLine(query: QueryPolicy): (record: AccessRecord) => string {
  const time = new CommonLogTime();
  return (record) =>
    `${record.clientAddress} - - [${time.of(record.endedMs)}] "${requestLine(record)}" ${record.status} ` +
    `${record.sentBytes} "${refererOf(record)}" "${combinedText.of(record.userAgent ?? '-', LIMIT.userAgent)}"\n`;

  function requestLine({ method, target, versionMinor }: AccessRecord): string {
    if (method === '') return '-';
    const shown = pathOf(target) + queryOf(target, query);
    return `${combinedText.of(method, LIMIT.method)} ${combinedText.of(shown, LIMIT.target)} HTTP/1.${versionMinor}`;
  }

  function refererOf({ referer }: AccessRecord): string {
    return referer === null ? '-' : combinedText.of(pathOf(referer) + queryOf(referer, query), LIMIT.referer);
  }
}
