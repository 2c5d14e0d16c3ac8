/** Fields or parameters that a request must have: `true` = present, a string = present with exactly this value. */
type RulePredicates = Readonly<Record<string, string | true>>;

/** What routing needs to know of a route. Every route of a configuration is one. */
export interface RouteRule {
  /** A path pattern, or a regular expression that starts with `^`; see pattern.ts. */
  readonly path: string;
  /** Null: every method. */
  readonly methods: readonly string[] | null;
  /** A host name, or `*.` and one (exactly one label more). Null: every host. */
  readonly host: string | null;
  /** Overrides every other ranking, higher first. Null counts as 0. */
  readonly priority: number | null;
  /** Header names are in lower case. */
  readonly match: { readonly headers: RulePredicates; readonly query: RulePredicates };
}
