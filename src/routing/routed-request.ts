/** What a request shows to the router. */
export interface RoutedRequest {
  /** As `parseAuthority` gives it; empty if there is none. */
  readonly host: string;
  /** As `normalisePath` gives it. */
  readonly path: string;
  /** As received, without the `?`. */
  readonly query: string;
  readonly method: string;
  /** The value of a field that clients send, by its name in lower case; several field lines joined by `, `. */
  headerValue(lowerCaseName: string): string | undefined;
  /** The same of one that the gateway writes itself (`isRewritten`), as it goes upstream. */
  ownValue(lowerCaseName: string): string | undefined;
}
