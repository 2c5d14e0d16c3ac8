import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Change } from '../../src/control/change.ts';
import { runTransaction } from '../../src/control/transaction.ts';
import { settle } from '../support/guard.ts';

type Step = 'prepare' | 'commit' | 'finish' | 'abandon';

/** What a step of a part does instead of succeeding. */
interface Fault {
  readonly name: string;
  readonly step: Step;
  readonly how: 'throws' | 'rejects';
}

const PARTS = ['certificates', 'listeners', 'workers'];

/** A change that writes down its steps; `run` is what each of them does. */
function part(name: string, story: string[], run: (name: string, step: Step) => void | Promise<void>): Change<string> {
  const step = (which: Step, prepared = name) => {
    story.push(`${which} ${prepared}`);
    return run(name, which);
  };
  return new Change(name, {
    prepare: async () => {
      await step('prepare');
      return name;
    },
    commit: (prepared) => step('commit', prepared),
    finish: (prepared) => void step('finish', prepared),
    abandon: (prepared) => step('abandon', prepared),
  });
}

/** Runs a transaction of three parts; resolves with all steps in their order, the error, and what was reported besides. */
async function run(faults: readonly Fault[], stopping?: AbortController, stopAt?: string) {
  const story: string[] = [];
  const reported: string[] = [];
  const runStep = (name: string, step: Step) => {
    if (`${step} ${name}` === stopAt) stopping?.abort(new Error('stopping'));
    const fault = faults.find((each) => each.name === name && each.step === step);
    if (fault === undefined) return;
    const error = new Error(`${step} ${name}`);
    if (fault.how === 'rejects') return settle(1).then(() => Promise.reject(error));
    throw error;
  };
  const parts = PARTS.map((name) => part(name, story, runStep));
  const context = {
    ...(stopping === undefined ? {} : { stopping: stopping.signal }),
    onFault: (fault: unknown) => reported.push((fault as Error).message),
  };
  const error = await runTransaction(parts, context).then(
    () => null,
    (reason: Error) => reason.message,
  );
  return { story, error, reported };
}

const steps = (step: Step, names: readonly string[]) => names.map((name) => `${step} ${name}`);

const COMMITTED = [...steps('prepare', PARTS), ...steps('commit', PARTS), ...steps('finish', PARTS)];

test('all parts are prepared, then all are committed, then all are finished, each in their order', async () => {
  assert.deepEqual(await run([]), { story: COMMITTED, error: null, reported: [] });
});

/** Every choice of some of these. */
function subsetsOf(names: readonly string[]): readonly (readonly string[])[] {
  const [first, ...rest] = names;
  if (first === undefined) return [[]];
  return subsetsOf(rest).flatMap((subset) => [subset, [first, ...subset]]);
}

for (const how of ['throws', 'rejects'] as const) {
  for (const [index, name] of PARTS.entries()) {
    const before = PARTS.slice(0, index);
    for (const broken of subsetsOf(before)) {
      const also = broken.length === 0 ? '' : `, and abandon of ${broken.join(' and ')} does too`;
      test(`when prepare of ${name} ${how}, those before it are abandoned, the last one first${also}`, async () => {
        const faults: Fault[] = [
          { name, step: 'prepare', how },
          ...broken.map((each): Fault => ({ name: each, step: 'abandon', how })),
        ];
        const backwards = before.toReversed();
        assert.deepEqual(await run(faults), {
          story: [...steps('prepare', [...before, name]), ...steps('abandon', backwards)],
          error: `prepare ${name}`,
          reported: steps(
            'abandon',
            backwards.filter((each) => broken.includes(each)),
          ),
        });
      });
    }

    test(`when the gateway stops while ${name} prepares and that ${how}, the reason is the stop`, async () => {
      const result = await run([{ name, step: 'prepare', how }], new AbortController(), `prepare ${name}`);
      assert.deepEqual(result, {
        story: [...steps('prepare', [...before, name]), ...steps('abandon', before.toReversed())],
        error: 'stopping',
        reported: [],
      });
    });
  }

  for (const step of ['commit', 'finish'] as const) {
    if (step === 'finish' && how === 'rejects') continue;
    for (const broken of subsetsOf(PARTS).filter(({ length }) => length > 0)) {
      test(`when ${step} of ${broken.join(' and ')} ${how}, all are committed and finished all the same`, async () => {
        const result = await run(broken.map((name) => ({ name, step, how })));
        assert.deepEqual(result, { story: COMMITTED, error: `${step} ${broken[0]}`, reported: [] });
      });
    }
  }
}

for (const [index, name] of PARTS.entries()) {
  const prepared = PARTS.slice(0, index + 1);
  test(`when the gateway stops while ${name} prepares well, what is prepared is abandoned`, async () => {
    assert.deepEqual(await run([], new AbortController(), `prepare ${name}`), {
      story: [...steps('prepare', prepared), ...steps('abandon', prepared.toReversed())],
      error: 'stopping',
      reported: [],
    });
  });

  for (const step of ['commit', 'finish'] as const) {
    test(`when the gateway stops in ${step} of ${name}, the change goes on: workers cannot go back`, async () => {
      const result = await run([], new AbortController(), `${step} ${name}`);
      assert.deepEqual(result, { story: COMMITTED, error: null, reported: [] });
    });
  }
}

for (const name of ['listeners', 'certificates']) {
  test(`when the gateway stops while ${name} is abandoned, the rest is abandoned, and the reason is the stop`, async () => {
    const fault: Fault = { name: 'workers', step: 'prepare', how: 'throws' };
    assert.deepEqual(await run([fault], new AbortController(), `abandon ${name}`), {
      story: [...steps('prepare', PARTS), ...steps('abandon', ['listeners', 'certificates'])],
      error: 'stopping',
      reported: [],
    });
  });
}

test('when the gateway has stopped before, nothing is prepared', async () => {
  const stopping = new AbortController();
  stopping.abort(new Error('stopping'));
  assert.deepEqual(await run([], stopping), { story: [], error: 'stopping', reported: [] });
});

test('nothing is waited for from the last prepare to the last commit, and all commits are over before the first finish', async () => {
  const story: string[] = [];
  const gate = Promise.withResolvers<void>();
  const runStep = (name: string, step: Step) => {
    // Whatever the loop runs next must come after all commits.
    if (step === 'prepare') setImmediate(() => story.push(`after prepare ${name}`));
    return step === 'commit' && name === 'certificates' ? gate.promise : undefined;
  };
  const done = runTransaction(
    PARTS.map((name) => part(name, story, runStep)),
    { onFault: (fault) => assert.fail(String(fault)) },
  );
  await settle(2);
  const commits = [...steps('prepare', PARTS), ...steps('commit', PARTS)];
  assert.deepEqual(story, [...commits, ...PARTS.map((name) => `after prepare ${name}`)]);
  story.length = 0;
  gate.resolve();
  await done;
  assert.deepEqual(story, steps('finish', PARTS));
});

/** How a change gets into each of its states, and which calls are right there. */
const STATES: readonly { state: string; way: readonly Step[]; allowed: readonly Step[]; fails?: boolean }[] = [
  { state: 'new', way: [], allowed: ['prepare'] },
  { state: 'prepared', way: ['prepare'], allowed: ['commit', 'abandon'] },
  { state: 'failed', way: ['prepare'], allowed: [], fails: true },
  { state: 'committed', way: ['prepare', 'commit'], allowed: ['finish'] },
  { state: 'finished', way: ['prepare', 'commit', 'finish'], allowed: [] },
  { state: 'abandoned', way: ['prepare', 'abandon'], allowed: [] },
];

for (const { state, way, allowed, fails = false } of STATES) {
  for (const step of ['prepare', 'commit', 'finish', 'abandon'] as const) {
    const right = allowed.includes(step);
    test(`${step} of a change that is ${state} ${right ? 'runs' : 'throws and does nothing'}`, async () => {
      const story: string[] = [];
      const change = part('listeners', story, () => {
        if (fails) throw new Error('it cannot');
      });
      for (const each of way) await Promise.resolve(change[each]()).catch(() => undefined);
      story.length = 0;
      const called = async () => change[step]();
      const hasNothing = state === 'new' || state === 'failed';
      if (hasNothing) assert.throws(() => change.prepared, new RegExp(`is ${state}, and has nothing ready`));
      else assert.equal(change.prepared, 'listeners');
      if (right) await called();
      else await assert.rejects(called, new RegExp(`^Error: the change of listeners is ${state}, and cannot be `));
      assert.deepEqual(story, right ? [`${step} listeners`] : []);
    });
  }
}

test('a change that is still being prepared can be neither committed nor abandoned nor prepared again', async () => {
  const gate = Promise.withResolvers<void>();
  const change = part('workers', [], () => gate.promise);
  const preparing = change.prepare();
  for (const step of ['prepare', 'commit', 'finish', 'abandon'] as const) {
    await assert.rejects(async () => change[step](), /^Error: the change of workers is preparing, and cannot be /);
  }
  assert.throws(() => change.prepared, /is preparing, and has nothing ready/);
  gate.resolve();
  await preparing;
  assert.equal(change.prepared, 'workers');
});
