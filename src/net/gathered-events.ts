/** From so many events together on, one write for all of them costs less than it costs to learn that they are all. */
const WORTHWHILE = 16;

/** What the first events of many have to say does not wait for more than so many others. */
const MOST_TOGETHER = 64;

/** So many events are settled each by itself before it is tried again whether they come together. */
const EVENTS_ALONE = 256;

/** Calls `work` when the event loop has told of all that was ready. */
export type AfterEvents = <T>(work: (subject: T) => void, subject: T) => void;

/**
 * Events of sockets that the system reports at once are settled at once: all are heard before anything is written. While the first
 * reply of many wakes its client, the others are still being made, and the client sleeps and is woken for each; one that wakes to all of
 * them is woken once. That is 1 us of kernel time for a request with 64 busy clients (docs/decisions/0011-writes-together.md).
 *
 *              EVENTS_ALONE events, and another one
 *   ALONE -----------------------------------------------> TOGETHER
 *     each is settled by itself                                | all that were ready have been heard, or MOST_TOGETHER: settle
 *     ^                                                        |
 *     |________fewer than WORTHWHILE___________________________|________ more: the next event begins another round
 */
export class GatheredEvents {
  readonly #settle: () => void;
  readonly #afterEvents: AfterEvents;
  readonly #eventsAlone: number;
  #alone: number;
  #gathering = false;
  #count = 0;

  /** `settle` ends all events that have been heard. `eventsAlone`: 0 to gather whatever comes of it. */
  constructor(settle: () => void, eventsAlone = EVENTS_ALONE, afterEvents: AfterEvents = setImmediate) {
    this.#settle = settle;
    this.#afterEvents = afterEvents;
    this.#eventsAlone = eventsAlone;
    this.#alone = eventsAlone;
  }

  /** An event has been heard: it is settled now, or with those that come together with it. */
  add(): void {
    if (this.#gathering) {
      this.#count++;
      if (this.#count % MOST_TOGETHER === 0) this.#settle();
    } else if (this.#alone > 0) {
      this.#alone--;
      this.#settle();
    } else {
      this.#gathering = true;
      this.#count = 1;
      this.#afterEvents(allGathered, this);
    }
  }

  allGathered(): void {
    this.#gathering = false;
    if (this.#count < WORTHWHILE) this.#alone = this.#eventsAlone;
    this.#settle();
  }
}

function allGathered(events: GatheredEvents): void {
  events.allGathered();
}
