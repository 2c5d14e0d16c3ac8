import { FieldGroup } from '../base/field-group.ts';

/** Date (RFC 9110 6.6.1); its value is the time of the message. */
export const DATE: FieldGroup = new FieldGroup([], 'Date');
