import { fieldText } from '../../http/field-text.ts';

/**
 * The name of a client, or what else is known of him, as the value of a field. Texts that differ stay different: everything but
 * printable ASCII is percent-encoded, and so are the percent sign and blanks at the ends.
 */
export function consumerText(text: string): string {
  return fieldText(text.replace(/%|^ | $/g, encodeURIComponent));
}
