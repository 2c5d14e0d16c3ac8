import { constants, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket, type TLSSocketOptions } from 'node:tls';

/** A certificate of the server, as it goes from thread to thread. */
export interface CertificateMaterial {
  /** The names that clients ask for with SNI (RFC 6066 3): `api.example.com`, `*.example.com`, in lower case. */
  readonly hosts: readonly string[];
  /** The chain and the private key, as PEM text. */
  readonly cert: string;
  readonly key: string;
}

/** Which certificates clients have to show. */
export interface ClientCertificateMaterial {
  /** The authorities that may have signed them, as PEM text. */
  readonly ca: string;
  /** False: a client may come without one. */
  readonly required: boolean;
}

/** The material of the listeners for HTTPS. */
export interface TlsServerMaterial {
  /** The first one is for clients that name no host, or an unknown one. */
  readonly certificates: readonly CertificateMaterial[];
  /** 48 random bytes, the same in all workers: a session that began with one goes on with another (RFC 5077). */
  readonly ticketKeys: Uint8Array;
  /** Null: clients are not asked for certificates. */
  readonly clientCertificates: ClientCertificateMaterial | null;
}

/** A list of one protocol as it goes over the wire (RFC 7301 3.1): written once and not for every connection. */
const ALPN_HTTP_1_1 = Buffer.from('\x08http/1.1', 'latin1');

/** The server's side of TLS 1.2 and 1.3 for the connections of one worker. */
export class TlsServer {
  readonly #clientCertificates: ClientCertificateMaterial | null;
  readonly #default: SecureContext;
  readonly #byHost = new Map<string, SecureContext>();
  readonly #options: TLSSocketOptions;

  /** Throws an Error when OpenSSL cannot use a certificate or key. */
  constructor(material: TlsServerMaterial) {
    this.#clientCertificates = material.clientCertificates;
    const contexts = material.certificates.map((certificate) => {
      const context = contextFor(certificate, material);
      for (const host of certificate.hosts) if (!this.#byHost.has(host)) this.#byHost.set(host, context);
      return context;
    });
    const [first] = contexts;
    if (first === undefined) throw new Error('Cannot serve TLS: want at least one certificate');
    this.#default = first;
    this.#options = {
      isServer: true,
      secureContext: first,
      ALPNProtocols: ALPN_HTTP_1_1,
      requestCert: this.#clientCertificates !== null,
      rejectUnauthorized: this.#clientCertificates?.required ?? false,
      // If there is nothing to choose by name, the callback would only cost a call out of OpenSSL and back in every handshake.
      ...(this.#byHost.size === 0 ? {} : { SNICallback: (host, done) => done(null, this.#contextOf(host)) }),
    };
  }

  /** Begins to speak TLS on an accepted socket. Bytes that are written before the handshake is over are sent then. */
  accept(socket: Socket): TLSSocket {
    const secure = new TLSSocket(socket, this.#options);
    if (this.#clientCertificates !== null) {
      const { required } = this.#clientCertificates;
      secure.once('secure', () => refuseInvalid(secure, required));
    }
    secure.once('secure', releaseControl);
    return secure;
  }

  /** Never throws: a client chooses the name. */
  #contextOf(host: string): SecureContext {
    const name = host.toLowerCase();
    const exact = this.#byHost.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return (dot === -1 ? undefined : this.#byHost.get(`*${name.slice(dot)}`)) ?? this.#default;
  }
}

/** Throws the Error of OpenSSL when it cannot use a pair, because the key is too short for instance. */
export function checkCertificate({ cert, key }: { readonly cert: string; readonly key: string }): void {
  createSecureContext({ cert, key, minVersion: 'TLSv1.2' });
}

function contextFor({ cert, key }: CertificateMaterial, material: TlsServerMaterial): SecureContext {
  const { ticketKeys, clientCertificates } = material;
  return createSecureContext({
    cert,
    key,
    ...(clientCertificates === null ? {} : { ca: clientCertificates.ca }),
    minVersion: 'TLSv1.2',
    honorCipherOrder: true,
    // A client that begins handshake after handshake on one connection costs more than it pays.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    sessionIdContext: sessionContextOf(clientCertificates),
    ticketKeys: Buffer.from(ticketKeys),
  });
}

/**
 * Sessions are only resumed within one such context (Node's default hangs on the command line). A session carries the client's
 * certificate: one that other authorities let in must not be resumed.
 */
function sessionContextOf(clientCertificates: ClientCertificateMaterial | null): string {
  if (clientCertificates === null) return 'photon';
  const { ca, required } = clientCertificates;
  return createHash('sha256').update(`${required} ${ca}`).digest('hex').slice(0, 32);
}

/** Internals of TLS sockets that `tls.Server` uses too. Not public API. */
interface SecureInternals {
  readonly _handle: { verifyError?(): Error | null | undefined } | null;
  _releaseControl?(): boolean;
}

/**
 * OpenSSL accepts every certificate and leaves it to us to check its verdict. A resumed session has the verdict of its beginning.
 */
function refuseInvalid(secure: TLSSocket, required: boolean): void {
  const shown = secure.getPeerX509Certificate() !== undefined;
  if (!shown && !required) return;
  const { _handle } = secure as unknown as SecureInternals;
  if (!shown || typeof _handle?.verifyError !== 'function' || _handle.verifyError()) secure.destroy();
}

/** `tls.Server` does the same after a handshake: from then on an error of TLS ends the socket. */
function releaseControl(this: TLSSocket): void {
  (this as unknown as SecureInternals)._releaseControl?.();
}
