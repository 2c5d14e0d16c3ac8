/** The command line of the bench. */
import { parseArgs } from 'node:util';

export const usage = `Usage: npm run bench -- CASE [options]
       npm run bench -- --list
       npm run bench -- micro [NAME]

Options:
  --rounds N      alternating rounds (default: what --list says)
  --seconds N     length of a measured window (default: what --list says)
  --peers LIST    peers to compare with, such as nginx,haproxy; "none" for Photon alone
  --syscalls      count system calls per request too (strace)
  --profile       profile Photon's worker and print where its time goes
  --photon FILE   run this build of Photon instead of src/main.ts
  --json          print JSON
`;

export interface Options {
  readonly list: boolean;
  readonly names: readonly string[];
  readonly rounds: number | null;
  readonly seconds: number | null;
  /** Null: the case's own. */
  readonly peers: readonly string[] | null;
  readonly json: boolean;
  readonly syscalls: boolean;
  readonly profile: boolean;
  readonly photon: string | null;
}

/** @throws Error that says which option is wrong */
export function parseOptions(args: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      peers: { type: 'string' },
      json: { type: 'boolean', default: false },
      syscalls: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      photon: { type: 'string' },
    },
  });
  const { list, json, syscalls, profile } = values;
  if (syscalls && profile)
    throw new Error('Cannot use --syscalls with --profile: the profiler makes system calls of its own');
  return {
    ...{ list, json, syscalls, profile, names: positionals },
    rounds: values.rounds === undefined ? null : parseCount('--rounds', values.rounds),
    seconds: values.seconds === undefined ? null : parseCount('--seconds', values.seconds),
    peers: values.peers === undefined ? null : parsePeers(values.peers),
    photon: values.photon ?? null,
  };
}

function parseCount(option: string, text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new Error(`Cannot use ${option}: want a whole number from 1, got "${text}"`);
  return Number(text);
}

function parsePeers(text: string): string[] {
  return text === 'none'
    ? []
    : text
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
}
