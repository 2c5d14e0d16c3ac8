import { Fields } from './fields.ts';
import { FRAMING, type Framing } from './framing.ts';

/** The head of a request as a decoder left it. Reused from request to request: keep no reference past the exchange. */
export class RequestHead extends Fields {
  method = '';
  /** The request-target as received. */
  target = '';
  /** 0 or 1 of `HTTP/1.x`. */
  versionMinor = 1;
  framing: Framing = FRAMING.NONE;
  /** Body length in bytes when `framing` is LENGTH, else 0. */
  contentLength = 0;
  /** The value of Host; null when an HTTP/1.0 client sent none. */
  host: string | null = null;
  /** The client lets the connection live on after this exchange (RFC 9112 9.3). */
  persistent = true;
  /** `Connection` named fields beyond close, keep-alive and what is hop-by-hop anyway: they must be looked for. */
  namesHopByHopFields = false;

  override clear(): void {
    super.clear();
    this.method = '';
    this.target = '';
    this.versionMinor = 1;
    this.framing = FRAMING.NONE;
    this.contentLength = 0;
    this.host = null;
    this.persistent = true;
    this.namesHopByHopFields = false;
  }
}
