/** From this many events on, one write for all of them saves more than it costs to find out that there are no others. */
const WORTHWHILE = 16;

/** The output of the first events of many waits for at most this many others. */
const MOST_TOGETHER = 64;

/** This many events are settled one by one before the next round finds out whether they come together. */
const EVENTS_ALONE = 256;

/** Calls `work` when the event loop has delivered all events that were ready. */
export type AfterEvents = <T>(work: (subject: T) => void, subject: T) => void;

/**
 * Events of sockets that the system reports together are settled together: all are handled before anything is written. Otherwise the first
 * reply of many wakes its client while the others are still being made, and the client sleeps and is woken for each of them; a client that
 * finds all of them is woken once. That is 1 us of kernel time for a request with 64 busy clients (docs/decisions/0011-writes-together.md).
 *
 *              EVENTS_ALONE events, and another one
 *   ALONE -----------------------------------------------> TOGETHER
 *     each is settled by itself                                | all that were ready are handled, or MOST_TOGETHER: settle
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

  /** `settle` ends all events that have been handled. `eventsAlone`: 0 to gather always. */
  constructor(settle: () => void, eventsAlone = EVENTS_ALONE, afterEvents: AfterEvents = setImmediate) {
    this.#settle = settle;
    this.#afterEvents = afterEvents;
    this.#eventsAlone = eventsAlone;
    this.#alone = eventsAlone;
  }

  /** An event has been handled: it is settled now, or with the events that come together with it. */
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
