import type { FieldDrops } from '../http/field-drops.ts';
import { FieldList } from '../http/field-list.ts';
import { FRAMING, type Framing } from '../http/framing.ts';
import type { OutgoingResponse } from '../http/outgoing.ts';
import type { ResponseHead } from '../http/response-head.ts';
import type { BodyCoding } from './body-coding.ts';

/** The head of the reply that is being made or sent. */
export class Reply implements OutgoingResponse {
  drops: FieldDrops | null = null;
  /** 0 before there is one. */
  status = 0;
  source: ResponseHead | null = null;
  readonly additions: FieldList = new FieldList();
  framing: Framing = FRAMING.NONE;
  contentLength = -1;
  /** The content coding of the body; null for none. Set by `codeBody`. */
  coding: BodyCoding | null = null;
  /** Bytes of the body that went out, without framing. */
  bodyBytes = 0;

  clear(): void {
    this.drops = null;
    this.additions.clear();
    this.status = 0;
    this.source = null;
    this.coding = null;
    this.bodyBytes = 0;
  }
}
