import { Random } from '../../support/random.ts';

/** Draws for one owner of a part of the scenario. Each owner has its own, so that what one draws shifts no other. */
export class Draw {
  readonly #random: Random;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed >>> 0;
    this.#random = new Random(mix(this.#seed));
  }

  /** The draws of a part of this one, by its name and number. */
  of(name: string, number = 0): Draw {
    let seed = this.#seed;
    for (const letter of name) seed = mix(seed ^ letter.charCodeAt(0));
    return new Draw(mix(seed ^ (number + 1)));
  }

  below(limit: number): number {
    return this.#random.below(limit);
  }

  seed(): number {
    return this.#random.below(2 ** 31);
  }

  /** True once in so many draws. */
  oneIn(many: number): boolean {
    return this.#random.below(many) === 0;
  }

  pick<T>(choices: readonly T[]): T {
    return this.#random.pick(choices);
  }

  between(least: number, most: number): number {
    return least + this.#random.below(most - least + 1);
  }

  /** Small numbers more often than large ones. */
  size(most: number): number {
    return this.below(this.below(most) + 1);
  }
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x45d9_f3b);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x45d9_f3b);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
