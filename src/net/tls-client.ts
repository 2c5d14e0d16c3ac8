import { constants } from 'node:crypto';
import { isIP, type Socket, type SocketConstructorOpts, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect, createSecureContext, type TLSSocket } from 'node:tls';

/** How to speak TLS with one upstream, as it goes from thread to thread. */
export interface TlsClientMaterial {
  /** A host name, asked for (SNI) and verified, or an IP address, which is only verified (RFC 6066 3). */
  readonly serverName: string;
  readonly verify: boolean;
  /** The authorities to trust, as PEM text; null for those that Node knows. */
  readonly ca: string | null;
  /** Shown to an upstream that asks for a certificate: chain and private key, as PEM text. */
  readonly certificate: { readonly cert: string; readonly key: string } | null;
}

/** The client's side of TLS 1.2 and 1.3, for all connections of one worker to one upstream. */
export class TlsClient {
  readonly #options: ConnectionOptions;
  /** The session to resume next time. */
  #session: Buffer | null = null;

  /** Throws an Error when OpenSSL cannot use a certificate, key or authority. */
  constructor({ serverName, verify, ca, certificate }: TlsClientMaterial) {
    this.#options = {
      secureContext: createSecureContext({
        ...(ca === null ? {} : { ca }),
        ...certificate,
        minVersion: 'TLSv1.2',
        secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      }),
      servername: isIP(serverName) === 0 ? serverName : '',
      checkServerIdentity: (_name, presented) => checkServerIdentity(serverName, presented),
      rejectUnauthorized: verify,
      ALPNProtocols: ['http/1.1'],
    };
  }

  /**
   * Begins to connect and to shake hands. `secureConnect` comes when both are done and the upstream is verified; nothing may be written
   * before it.
   */
  connect(options: SocketConstructorOpts & Partial<TcpNetConnectOpts>): TLSSocket {
    const socket = this.#begin(options);
    // A plain socket takes these as options; here they have to be set on the open connection.
    socket.once('connect', () => {
      socket.setNoDelay(options.noDelay ?? false);
      if (options.keepAlive) socket.setKeepAlive(true, options.keepAliveInitialDelay);
    });
    return socket;
  }

  /** Begins to shake hands over a socket that is connected; bytes that were written to it before go out first. Otherwise as `connect`. */
  wrap(carrier: Socket): TLSSocket {
    return this.#begin({ socket: carrier });
  }

  #begin(options: ConnectionOptions): TLSSocket {
    const session = this.#session === null ? {} : { session: this.#session };
    const socket = connect({ ...options, ...this.#options, ...session });
    socket.once('secureConnect', () => this.#keepSessionOf(socket));
    socket.once('error', () => {
      // After any failure the next handshake is a full one.
      this.#session = null;
    });
    return socket;
  }

  /**
   * The name of an upstream is not verified again when a session is resumed, so only a session whose verification is over may be kept:
   * in TLS 1.2 the ticket comes before that.
   */
  #keepSessionOf(socket: TLSSocket): void {
    if (socket.getProtocol() === 'TLSv1.2') this.#session = socket.getSession() ?? null;
    socket.on('session', (session: Buffer) => {
      this.#session = session;
    });
  }
}
