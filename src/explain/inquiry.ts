import { isIpAddress } from '../base/address.ts';

/** A request to explain, and who sends it. Plain data, so that it can be asked of a running gateway as it is. */
export interface Inquiry {
  readonly method: string;
  /** How the client connects. Null: as the first listener wants it. */
  readonly scheme: 'http' | 'https' | null;
  /** The port that the client connects to. Null: that of the first listener. */
  readonly port: number | null;
  /** Path and query as they go over the wire, or `*`. */
  readonly target: string;
  /** The field lines of the request in their order, `Name: value`, without line ends. */
  readonly fields: readonly string[];
  /** IP address of the peer that connects: of the client, or of the proxy in front of the gateway. */
  readonly from: string;
}

/** What a command line says of a request. */
export interface InquiryWords {
  readonly method: string;
  /** `http://...`, `https://...`, a path, or `*`. */
  readonly url: string;
  /** `Name: value` each. */
  readonly headers: readonly string[];
  readonly from: string;
}

const URL_FORM = /^(https?):\/\/([^/?#]*)([^#]*)/i;
const PORT = /:(\d{1,5})$/;
const DEFAULT_PORTS = { http: 80, https: 443 } as const;

/** Bytes that would end a line or the request line's word, and so make another request of it. */
const BREAKS_WORD = /[\0-\x20\x7f]/;
const BREAKS_LINE = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * Reads the words of a command line. The target stays as written: what a client sends is for the gateway to normalise. As
 * clients do, a fragment (`#...`) is left out, and the URL's authority becomes Host unless a Host is given.
 *
 * @throws SyntaxError whose message is one line
 */
export function parseInquiry({ method, url, headers, from }: InquiryWords): Inquiry {
  const inquiry = { method, ...parseUrl(url, headers), from };
  checkInquiry(inquiry);
  return inquiry;
}

/**
 * Whether it is one request that is asked about: nothing in it may end a line, or a word of the request line.
 *
 * @throws SyntaxError whose message is one line
 */
export function checkInquiry({ method, target, fields, from }: Inquiry): void {
  if (method === '' || BREAKS_WORD.test(method)) throw cannotUse('method', 'a word such as GET', method);
  if (target === '' || BREAKS_WORD.test(target)) {
    throw cannotUse('URL', 'one without blanks and control characters', target);
  }
  for (const line of fields) {
    if (!/^[^:]+:/.test(line) || BREAKS_LINE.test(line)) {
      throw cannotUse('header', '"Name: value" in one line', line);
    }
  }
  if (!isIpAddress(from)) throw cannotUse('address', 'an IP address', from);
}

function parseUrl(url: string, headers: readonly string[]): Pick<Inquiry, 'scheme' | 'port' | 'target' | 'fields'> {
  if (url === '*') return { scheme: null, port: null, target: url, fields: headers };
  if (url.startsWith('/')) {
    return { scheme: null, port: null, target: url.replace(/#.*$/s, ''), fields: headers };
  }
  const [, schemeText, authority = '', rest = ''] = URL_FORM.exec(url) ?? [];
  if (schemeText === undefined || authority === '') {
    throw cannotUse('URL', 'a path, "http://host/..." or "https://host/..."', url);
  }
  // Sound: the pattern takes nothing else.
  const scheme = schemeText.toLowerCase() as 'http' | 'https';
  const port = Number(PORT.exec(authority)?.[1] ?? DEFAULT_PORTS[scheme]);
  const target = rest.startsWith('/') ? rest : `/${rest}`;
  return { scheme, port, target, fields: namesHost(headers) ? headers : [`Host: ${authority}`, ...headers] };
}

/** Whether one of the field lines is a Host. */
export function namesHost(fields: readonly string[]): boolean {
  return fields.some((line) => /^host:/i.test(line));
}

function cannotUse(what: string, wanted: string, found: string): SyntaxError {
  return new SyntaxError(`Cannot use the ${what}: want ${wanted}, got ${JSON.stringify(found)}`);
}
