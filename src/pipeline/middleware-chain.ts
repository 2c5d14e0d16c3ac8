import { dropName, FieldDrops } from '../http/field-drops.ts';
import { type Middleware, STAGES } from './middleware.ts';

/** The middleware of one route in the order of its stages, and the facts that follow from all of it. Made once, used by every request. */
export class MiddlewareChain {
  readonly middleware: readonly Middleware[];
  /** Fields of requests that do not go upstream; null: only those that never go upstream. */
  readonly requestDrops: FieldDrops | null;
  /** Fields of replies that do not go to the client; null likewise. */
  readonly responseDrops: FieldDrops | null;

  /** A middleware other than `cors` may write fields of CORS. */
  readonly writesAccessControl: boolean;
  /** One of them has a finish hook. */
  readonly hasFinishHook: boolean;

  constructor(middleware: readonly Middleware[]) {
    this.middleware = middleware.toSorted((a, b) => STAGES.indexOf(a.stage) - STAGES.indexOf(b.stage));
    this.hasFinishHook = middleware.some(({ onFinish }) => onFinish !== undefined);
    this.writesAccessControl = middleware.some(({ responseWrites = [] }) => writesAccessControl(responseWrites));
    this.requestDrops = dropsOf(middleware.flatMap(({ requestDrops = [] }) => requestDrops));
    this.responseDrops = dropsOf(middleware.flatMap(({ responseDrops = [] }) => responseDrops));
  }

  static readonly none: MiddlewareChain = new MiddlewareChain([]);
}

function dropsOf(names: readonly string[]): FieldDrops | null {
  return names.length === 0 ? null : new FieldDrops(names);
}

function writesAccessControl(names: readonly string[] | 'any'): boolean {
  return names === 'any' || names.some((name) => dropName(name).startsWith('access-control-'));
}
