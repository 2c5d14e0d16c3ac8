import { z } from 'zod';
import type { Config } from '../config/config.ts';
import { Explainer } from './explainer.ts';
import type { Explanation } from './explanation.ts';
import { checkInquiry } from './inquiry.ts';
import { type RankedRoute, rankedRoutes } from './ranked-routes.ts';

/**
 * What can be asked of a configuration, and what comes back: plain data both ways, so that a running gateway answers as a file
 * does. Whatever carries a question to it, only what `Answers` takes for one counts.
 */
export type Question = z.output<typeof questionSchema>;

export type Answer =
  | { readonly kind: 'explanation'; readonly explanation: Explanation }
  | { readonly kind: 'routes'; readonly routes: readonly RankedRoute[] }
  /** The question makes no sense; one line says why. */
  | { readonly kind: 'refused'; readonly message: string };

/** A question is small: as a target, a field and a head may be within the widest limits that anybody sets. */
const MAX_TEXT = 65_536;
const MAX_FIELDS = 1000;

const text = z.string().max(MAX_TEXT);

const questionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('explain'),
    inquiry: z.strictObject({
      method: text,
      scheme: z.enum(['http', 'https']).nullable(),
      port: z.int().min(0).max(65_535).nullable(),
      target: text,
      fields: z.array(text).max(MAX_FIELDS),
      from: text,
    }),
  }),
  z.strictObject({ kind: z.literal('routes') }),
]);

/** Answers questions about one configuration. */
export class Answers {
  readonly #config: Config;
  readonly #httpsPort: number | undefined;
  /** Made with the first request to explain: with many routes that takes a while. */
  #explainer: Explainer | null = null;

  /** `httpsPort`: of the first listener for HTTPS, where it is open and the system has chosen it. */
  constructor(config: Config, httpsPort?: number) {
    this.#config = config;
    this.#httpsPort = httpsPort;
  }

  answer(question: unknown): Answer {
    const read = questionSchema.safeParse(question);
    if (!read.success) return { kind: 'refused', message: 'Cannot read the question' };
    if (read.data.kind === 'routes') return { kind: 'routes', routes: rankedRoutes(this.#config) };
    const { inquiry } = read.data;
    try {
      checkInquiry(inquiry);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { kind: 'refused', message: error.message };
    }
    this.#explainer ??= new Explainer(this.#config, this.#httpsPort);
    return { kind: 'explanation', explanation: this.#explainer.explain(inquiry) };
  }
}
