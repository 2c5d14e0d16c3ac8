import type { HealthCheckConfig, UpstreamConfig } from '../../config/config.ts';
import { FieldList } from '../../http/field-list.ts';
import type { ConnectTarget } from '../../net/connection.ts';
import { TlsClient, type TlsClientMaterial } from '../../net/tls-client.ts';
import { encodeOwnRequestHead } from '../../wire/h1/head-encoder.ts';
import { encodeLocalProxyHeader } from '../../wire/proxy-protocol/encode-header.ts';
import type { ReplyExpectation } from './check-reply.ts';

/** Where an upstream is reached. */
export type UpstreamAddress = Pick<ConnectTarget, 'host' | 'port' | 'path' | 'alternative'>;

/** What every check of one upstream does. */
export interface CheckPlan {
  readonly target: ConnectTarget;
  /** The beginning of a connection: a PROXY header, if the upstream is configured for one; empty otherwise. */
  readonly preface: string;
  /** The request and the reply that it has to get; null: the check only connects. */
  readonly question: { readonly head: string; readonly expectation: ReplyExpectation } | null;
  readonly reuse: boolean;
}

/** Whether checks speak TLS: an http check does what requests do, and to connect takes none. */
const speaksTls = ({ tls }: UpstreamConfig, { checkType }: HealthCheckConfig): boolean =>
  checkType === 'https' || (checkType === 'http' && tls);

/** `tls`: how to speak TLS with the upstream; null where requests do not. Throws an Error when OpenSSL cannot use it. */
export function planCheck(
  upstream: UpstreamConfig,
  check: HealthCheckConfig,
  address: UpstreamAddress,
  tls: TlsClientMaterial | null,
): CheckPlan {
  const { sendProxyProtocol } = upstream;
  // The options of TLS have no effect without `tls: true`: an https check of such an upstream verifies its host in the usual way.
  const spoken = tls ?? { serverName: upstream.host, verify: true, ca: null, certificate: null };
  return {
    target: {
      ...address,
      keepAlive: { enabled: false, idleMs: 0 },
      tls: speaksTls(upstream, check) ? new TlsClient(spoken) : null,
    },
    preface: sendProxyProtocol === null ? '' : encodeLocalProxyHeader(sendProxyProtocol),
    question:
      check.checkType === 'tcp' ? null : { head: requestHead(upstream, check), expectation: wantedReply(check) },
    reuse: check.reuse,
  };
}

/** Nothing is said to the upstream. */
export function onlyConnects({ question, preface, target }: CheckPlan): boolean {
  return question === null && preface === '' && target.tls === null;
}

function wantedReply({ expectedStatus, expectedBody }: HealthCheckConfig): ReplyExpectation {
  return { status: expectedStatus, body: expectedBody === null ? null : Buffer.from(expectedBody) };
}

function requestHead(upstream: UpstreamConfig, { path, host, headers, reuse }: HealthCheckConfig): string {
  const values = {
    host: host ?? (upstream.path === null ? upstream.authority : 'localhost'),
    'user-agent': 'Photon-Health-Check',
    accept: '*/*',
    ...headers,
    ...(reuse ? {} : { connection: 'close' }),
  };
  const fields = new FieldList();
  for (const [name, value] of Object.entries(values)) fields.add(name, value);
  return encodeOwnRequestHead(path, fields);
}
