import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { GatheredEvents } from '../../src/net/gathered-events.ts';

/** Events of one turn of the event loop. */
function add(events: GatheredEvents, count: number): void {
  for (let event = 0; event < count; event++) events.add();
}

/** Counts how often `settle` is called. */
function counted(eventsAlone?: number) {
  const seen = { settled: 0 };
  const events = new GatheredEvents(() => seen.settled++, eventsAlone);
  return { seen, events };
}

describe('gathered events', () => {
  it('are settled each by itself at first', () => {
    const { seen, events } = counted();
    add(events, 256);
    assert.equal(seen.settled, 256);
  });

  it('are settled once when all that come together have been heard', async () => {
    const { seen, events } = counted(0);
    add(events, 40);
    assert.equal(seen.settled, 0);
    await setImmediate();
    assert.equal(seen.settled, 1);
  });

  it('go on to be gathered while many come together', async () => {
    const { seen, events } = counted(3);
    add(events, 3 + 16);
    await setImmediate();
    add(events, 16);
    assert.equal(seen.settled, 3 + 1);
    await setImmediate();
    assert.equal(seen.settled, 3 + 2);
  });

  it('are settled each by itself again when few come together', async () => {
    const { seen, events } = counted(3);
    add(events, 3 + 15);
    await setImmediate();
    assert.equal(seen.settled, 3 + 1);
    add(events, 3);
    assert.equal(seen.settled, 3 + 1 + 3);
    add(events, 1);
    assert.equal(seen.settled, 3 + 1 + 3, 'the next one looks whether others come with it');
    await setImmediate();
    assert.equal(seen.settled, 3 + 1 + 3 + 1);
  });

  it('do not wait for more than so many others', async () => {
    const { seen, events } = counted(0);
    add(events, 63);
    assert.equal(seen.settled, 0);
    add(events, 1);
    assert.equal(seen.settled, 1);
    add(events, 64);
    assert.equal(seen.settled, 2);
    await setImmediate();
    assert.equal(seen.settled, 3);
  });
});
