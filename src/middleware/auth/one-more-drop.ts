import { FieldDrops } from '../../http/field-drops.ts';

/** The fields that do not pass, and one more; the requests of a route all have the same before. */
export class OneMoreDrop {
  readonly #name: string;
  #before: FieldDrops | null = null;
  #with: FieldDrops;

  /** `name`: in lower case. */
  constructor(name: string) {
    this.#name = name;
    this.#with = new FieldDrops([name]);
  }

  beside(drops: FieldDrops | null): FieldDrops {
    if (drops !== this.#before) {
      this.#before = drops;
      this.#with = new FieldDrops([...(drops?.names ?? []), this.#name]);
    }
    return this.#with;
  }
}
