const PERCENT = 0x25;
const STAR = 0x2a;
const QUESTION_MARK = 0x3f;

/**
 * Whether `path[from, to)`, a segment in normal form, matches the glob in `bytes[glob, globEnd)`: `*` is any number of
 * characters, `?` is one; a percent-encoding is one character. Takes at most the product of both lengths: only the last
 * `*` is ever tried again, for what came before it matched as early as it can.
 */
export function matchesGlob(
  bytes: Uint8Array,
  glob: number,
  globEnd: number,
  path: string,
  from: number,
  to: number,
): boolean {
  let want = glob;
  let at = from;
  let afterStar = -1;
  let starEnd = from;
  while (at < to) {
    const byte = want < globEnd ? bytes[want] : -1;
    if (byte === STAR) {
      want += 1;
      afterStar = want;
      starEnd = at;
    } else if (byte === QUESTION_MARK) {
      want += 1;
      at += characterLength(path, at);
    } else if (byte === path.charCodeAt(at)) {
      want += 1;
      at += 1;
    } else if (afterStar >= 0) {
      starEnd += characterLength(path, starEnd);
      at = starEnd;
      want = afterStar;
    } else {
      return false;
    }
  }
  while (want < globEnd && bytes[want] === STAR) want += 1;
  return want === globEnd;
}

function characterLength(path: string, at: number): number {
  return path.charCodeAt(at) === PERCENT ? 3 : 1;
}
