import { FieldGroup } from '../base/field-group.ts';
import type { FieldList } from '../http/field-list.ts';

const OF_HTTP_1_0 = new FieldGroup([['Via', '1.0 photon']], 'X-Request-ID');
const OF_HTTP_1_1 = new FieldGroup([['Via', '1.1 photon']], 'X-Request-ID');

/**
 * The fields that trace a message, the same in both directions: Via (RFC 9110 7.6.3), with the version that it came in (`1.x`, by `x`), and
 * as the open name that of the id of the request.
 */
export function traceFieldsOf(versionMinor: number): FieldGroup {
  return versionMinor === 1 ? OF_HTTP_1_1 : OF_HTTP_1_0;
}

export function addTraceFields(fields: FieldList, versionMinor: number, requestId: string): void {
  fields.addGroup(traceFieldsOf(versionMinor), requestId);
}
