import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';

/** A certificate that connections are answered with, as it goes from thread to thread. */
export interface CertificateMaterial {
  /** The names that clients ask for with SNI (RFC 6066 3): `api.example.com`, `*.example.com`, in lower case. */
  readonly hosts: readonly string[];
  /** The chain and the private key, as PEM text. */
  readonly cert: string;
  readonly key: string;
}

/** What the listeners for HTTPS need. */
export interface TlsMaterial {
  /** The first one answers whoever names no host, or an unknown one. */
  readonly certificates: readonly CertificateMaterial[];
  /** 48 random bytes, the same in all workers: a session that began with one goes on with another (RFC 5077). */
  readonly ticketKeys: Uint8Array;
}

/** Sessions are only resumed within one such context; Node's default hangs on the command line. */
const SESSION_ID_CONTEXT = 'photon';

/** The server's side of TLS 1.2 and 1.3 for the connections of one worker. */
export class TlsServer {
  readonly #default: SecureContext;
  readonly #byHost = new Map<string, SecureContext>();

  /** Throws an Error when OpenSSL cannot use a certificate or key. */
  constructor({ certificates, ticketKeys }: TlsMaterial) {
    const contexts = certificates.map(({ hosts, cert, key }) => {
      const context = createSecureContext({
        cert,
        key,
        minVersion: 'TLSv1.2',
        honorCipherOrder: true,
        sessionIdContext: SESSION_ID_CONTEXT,
        ticketKeys: Buffer.from(ticketKeys),
      });
      for (const host of hosts) if (!this.#byHost.has(host)) this.#byHost.set(host, context);
      return context;
    });
    const [first] = contexts;
    if (first === undefined) throw new Error('Cannot serve TLS: want at least one certificate');
    this.#default = first;
  }

  /** Begins to speak TLS on an accepted socket. What is said to the result before the handshake is over is sent then. */
  accept(socket: Socket): TLSSocket {
    const secure = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#default,
      ALPNProtocols: ['http/1.1'],
      SNICallback: (host, done) => done(null, this.#contextFor(host)),
    });
    secure.once('secure', releaseControl);
    return secure;
  }

  /** Never throws: a client chooses the name. */
  #contextFor(host: string): SecureContext {
    const name = host.toLowerCase();
    const exact = this.#byHost.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return (dot === -1 ? undefined : this.#byHost.get(`*${name.slice(dot)}`)) ?? this.#default;
  }
}

/** `tls.Server` does the same after a handshake: from then on an error of TLS ends the socket. Not public API. */
function releaseControl(this: TLSSocket): void {
  (this as TLSSocket & { _releaseControl?(): boolean })._releaseControl?.();
}
