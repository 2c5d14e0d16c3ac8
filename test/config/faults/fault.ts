import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BACKENDS, diagnosticsOf, lines, placesOf, ROUTES, SERVER } from '../documents.ts';

/** A document that has one fault, and where it is. */
export interface Fault {
  readonly why: string;
  readonly text: string;
  readonly place: string;
}

/** The shortest configuration with more options in the place that the name says, a line each. */
export const upstream = (...options: readonly string[]) =>
  lines(
    SERVER,
    BACKENDS,
    options.map((option) => `          ${option}`),
    ROUTES,
  );
export const server = (...options: readonly string[]) =>
  lines(
    SERVER,
    options.map((option) => `  ${option}`),
    BACKENDS,
    ROUTES,
  );
export const route = (...options: readonly string[]) =>
  lines(
    SERVER,
    BACKENDS,
    ROUTES,
    options.map((option) => `    ${option}`),
  );
export const backend = (...options: readonly string[]) =>
  lines(
    SERVER,
    BACKENDS,
    options.map((option) => `      ${option}`),
    ROUTES,
  );
export const top = (...options: readonly string[]) => lines(SERVER, BACKENDS, ROUTES, options);
export const twoBackends = [...BACKENDS, '    api:', '      upstreams: [ { address: b:80 } ]'];

/** A test for each: it is refused for that alone, at its place. */
export function testRefusals(faults: readonly Fault[]): void {
  for (const { why, text, place } of faults) {
    test(`refused with its place: ${why}`, () => {
      const errors = diagnosticsOf(text).filter(({ severity }) => severity === 'error');
      assert.deepEqual(placesOf(errors), [place]);
    });
  }
}
