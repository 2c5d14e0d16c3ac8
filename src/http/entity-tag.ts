/** RFC 9110 8.8.3: a tag that promises the same bytes. */
const STRONG = /^"[\x21\x23-\x7e\x80-\xff]*"$/;
const TAGS = /(?:W\/)?"[^"]*"/g;

export function isStrongTag(tag: string): boolean {
  return STRONG.test(tag);
}

/** The tags in the value of If-None-Match or If-Match, as they stand there. */
export function listedTags(value: string): readonly string[] {
  return value.match(TAGS) ?? [];
}
