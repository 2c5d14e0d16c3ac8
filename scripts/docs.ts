/** `npm run docs`: writes the pages and the JSON Schema that are made from the source; a test asks that they are up to date. */
import { writeFileSync } from 'node:fs';
import { referencePages } from './docs/pages.ts';

for (const { path, text } of referencePages()) {
  writeFileSync(new URL(`../${path}`, import.meta.url), text);
  console.log(`written: ${path}`);
}
