import { FieldList } from '../../src/http/field-list.ts';

/** The list of the fields that stand in `lines`, each as `Name: value CRLF`. */
export function fieldListOf(lines = ''): FieldList {
  const list = new FieldList();
  for (const line of lines.split('\r\n').slice(0, -1)) {
    const colon = line.indexOf(':');
    list.add(line.slice(0, colon), line.slice(colon + 1).replace(/^ /, ''));
  }
  return list;
}
