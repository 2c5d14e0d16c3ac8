import { type ConfigNode, formatPath, type Path, startOf } from './config-node.ts';
import { isSecretPath } from './secrets.ts';
import type { Span } from './source-text.ts';

/** What each code of a diagnostic means. The codes are stable: scripts and documents may rely on them. */
export const DIAGNOSTIC_MEANINGS = {
  'file-not-found': 'There is no file with this name.',
  'file-unreadable': 'The file exists, but cannot be read.',
  'not-a-file': 'The name stands for a directory or a device.',
  'file-too-large': 'The file is larger than a configuration may be.',
  'file-empty': 'The file holds nothing.',
  'not-utf8': 'The file is not valid UTF-8.',
  'unknown-format': 'The suffix of the file name is not one that a configuration can have.',
  'syntax-error': 'The text is not valid YAML, JSON or TOML.',
  'too-complex': 'The document is nested too deeply, or its aliases expand to too much.',
  'duplicate-key': 'A key appears twice in one mapping.',
  'reserved-key': 'A key has a name that no option and no backend may have.',
  'bad-substitution': 'A substitution (a dollar sign and braces) cannot be understood.',
  'unset-variable': 'A substitution names an environment variable that is not set.',
  'unreadable-secret': 'A substitution names a file that cannot be read.',
  'unknown-key': 'There is no such option here.',
  'missing-key': 'A required option is missing.',
  'wrong-type': 'The value has the wrong type.',
  'bad-value': 'The value has the right type, but is not one that can be used.',
  'unknown-backend': 'A route names a backend that does not exist.',
  'unknown-middleware': 'A list of middleware names one that does not exist.',
  'missing-block': 'A list of middleware names one that needs options, and there are none.',
  'duplicate-middleware': 'A list names a middleware twice.',
  'duplicate-backend': 'Two files have a backend of the same name.',
  'duplicate-block': 'Two files set up the same middleware.',
  conflict: 'Two options exclude each other.',
  'unsafe-regex': 'A regular expression can take very long, or cannot be shown not to.',
  'include-not-found': 'A file to include does not exist, or cannot be read.',
  'include-limit': 'Too many files are included, or they are too large together.',
  'include-not-allowed': 'A file that is included has a block that only the main file may have.',
  'module-failed':
    'A configuration or middleware in TypeScript or JavaScript cannot be loaded, ends in an error, or refuses its options.',
  'not-plain-data': 'A configuration in TypeScript or JavaScript has a value that no file could hold.',
  'duplicate-id': 'Two routes have the same id.',
  'duplicate-listener': 'Two listeners have the same address.',
  'duplicate-upstream': 'A backend has two upstreams with the same address.',
  'duplicate-header': 'A header is named twice; letter case makes no difference.',
  'no-weight': 'No upstream of a backend has a weight above 0.',
  'no-effect': 'The option has no effect without another one, which is missing.',
  'unreachable-route':
    'A route never gets a request: another one takes them all, or it asks for a header that is never there.',
  'weak-secret': 'A secret is short, or one that stands in documentation.',
  'open-credentials': 'Pages of every origin are let in together with credentials, which browsers refuse.',
  'no-credentials': 'Authentication without any key or user: nobody gets in.',
  'trusts-everybody': 'The trusted proxies are everybody, so that every client can say it is another one.',
  'not-active-yet': 'The option is understood, but has no effect in this version.',
  'not-available-yet': 'The option asks for a protection or protocol that this version does not have.',
  'unusable-tls-file': 'A certificate, a private key or a list of authorities cannot be used.',
  'unusable-public-key': 'A public key of tokens cannot be read, or does not fit the algorithms.',
  'unusable-user': 'A line of a file of users is not one, or the hash of its password cannot be used.',
  'duplicate-user': 'A user is there twice.',
  'unusable-listener': 'An address to listen at names nothing that this machine has.',
  'unusable-control-socket':
    'The socket for commands, or the runtime directory that it is in by default, cannot be used.',
  'unusable-pid-file': 'The pid file cannot be written.',
  'unusable-log-file': 'The file of the access log cannot be written.',
  'unresolved-name': 'The name of an upstream does not resolve at the moment.',
} as const;

export type DiagnosticCode = keyof typeof DIAGNOSTIC_MEANINGS;

/** Something to tell the user about the configuration, with its place as offsets. */
export interface Finding {
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning';
  readonly span: Span;
  readonly path: Path;
  /** One line, complete without the other fields. */
  readonly message: string;
  readonly wanted: string | null;
  readonly found: string | null;
  readonly didYouMean: string | null;
  /** What to write instead, where that is likely. */
  readonly help?: string | null;
  /** Another place that has to do with it. */
  readonly other?: { readonly span: Span; readonly message: string };
}

const MAX_SHOWN_CHARS = 60;

/** A finding of severity `error` without the optional parts. */
export function errorAt(code: DiagnosticCode, span: Span, path: Path, message: string): Finding {
  return { code, severity: 'error', span, path, message, wanted: null, found: null, didYouMean: null };
}

/** A finding of severity `warning` without the optional parts. */
export function warningAt(code: DiagnosticCode, span: Span, path: Path, message: string): Finding {
  return { ...errorAt(code, span, path, message), severity: 'warning' };
}

/** An option is missing that has to stand at `path`, within `parent`. */
export function missingKey(parent: ConfigNode, path: Path, wanted: string): Finding {
  const key = String(path.at(-1));
  const message = `Missing key "${key}" in ${formatPath(path.slice(0, -1))}: want ${wanted}`;
  return { ...errorAt('missing-key', startOf(parent), path, message), wanted };
}

/** An option that changes nothing as long as another one is not set, which `reason` names. */
export function noEffect(node: ConfigNode, path: Path, reason: string): Finding {
  return warningAt('no-effect', node.span, path, `Nothing uses ${formatPath(path)}: ${reason}`);
}

/** Describes a value for a message. What may be a secret is not shown. */
export function describeValue(node: ConfigNode, path: Path): string {
  if (node.kind === 'list') return 'a list';
  if (node.kind === 'mapping') return 'a mapping';
  if (node.value === null) return 'nothing';
  if (node.expression !== null) return `the value of ${quote(node.expression)}`;
  if (isSecretPath(path)) return 'a value that is not shown';
  return typeof node.value === 'string' ? quote(node.value) : String(node.value);
}

/** Whether messages may repeat the value. */
export function isShown(node: ConfigNode, path: Path): boolean {
  return !isSecretPath(path) && (node.kind !== 'scalar' || node.expression === null);
}

/** The text in double quotes, cut when it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}...` : text);
}
