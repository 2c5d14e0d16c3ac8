/** How a name that is short becomes one that DNS knows, see resolv.conf(5). */
export interface SearchList {
  /** The domains to look in, in their order. */
  readonly domains: readonly string[];
  /** A name with so many dots is tried as it is before it is looked for in the domains. */
  readonly ndots: number;
}

/** Bounds of the system's resolver. */
const MAX_NDOTS = 15;
const MAX_DOMAINS = 32;

/** Reads what resolv.conf says of the search; the servers in it are read by c-ares. The last of several lines counts. */
export function parseSearchList(resolvConf: string): SearchList {
  let domains: readonly string[] = [];
  let ndots = 1;
  for (const line of resolvConf.split('\n')) {
    const [key, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/);
    if (key === 'search') domains = values;
    else if (key === 'domain') domains = values.slice(0, 1);
    else if (key === 'options') ndots = readNdots(values) ?? ndots;
  }
  const trimmed = domains.map((domain) => domain.replace(/\.$/, '').toLowerCase());
  return { domains: trimmed.filter((domain) => domain !== '').slice(0, MAX_DOMAINS), ndots };
}

function readNdots(options: readonly string[]): number | null {
  const digits = options.findLast((option) => /^ndots:\d+$/.test(option))?.slice('ndots:'.length);
  return digits === undefined ? null : Math.min(Number(digits), MAX_NDOTS);
}

/** The full names that a name may stand for, in the order in which they are tried. One that ends with a dot is full. */
export function candidatesFor(name: string, { domains, ndots }: SearchList): readonly string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const within = domains.map((domain) => `${name}.${domain}`);
  const dots = name.split('.').length - 1;
  return dots >= ndots ? [name, ...within] : [...within, name];
}
