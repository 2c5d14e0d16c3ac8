import { Fields } from './fields.ts';
import { FRAMING, type Framing } from './framing.ts';

/** The head of a reply as a decoder left it. Reused from reply to reply: keep no reference past the exchange. */
export class ResponseHead extends Fields {
  /** 100 to 599. */
  status = 0;
  /** The reason phrase starts here in `text`; it ends before the line's CRLF, at `reasonEnd`. */
  reasonStart = 0;
  reasonEnd = 0;
  /** 0 or 1 of `HTTP/1.x`. */
  versionMinor = 1;
  framing: Framing = FRAMING.NONE;
  /** The value of Content-Length, -1 when there was none. With HEAD and 304 it describes a body that is not sent. */
  contentLength = -1;
  /** The upstream lets the connection live on after this reply. */
  persistent = true;
  /** `Connection` named fields beyond close, keep-alive and what is hop-by-hop anyway: they must be looked for. */
  namesHopByHopFields = false;

  override clear(): void {
    super.clear();
    this.status = 0;
    this.reasonStart = 0;
    this.reasonEnd = 0;
    this.versionMinor = 1;
    this.framing = FRAMING.NONE;
    this.contentLength = -1;
    this.persistent = true;
    this.namesHopByHopFields = false;
  }
}
