import type { CustomHooks } from '../../../src/middleware/custom/define-middleware.ts';
import type { HookLog } from '../records.ts';
import type { HookAct, Scenario } from '../scenario/scenario.ts';
import type { Scheduler } from '../world.ts';

/** What a rejected promise of a hook says. */
export class HookError extends Error {}

/** The middleware number `hook` of a route: what it does with each request stands in the script of that request. */
export function scriptedHooks(world: Scheduler, { clients }: Scenario, log: HookLog, hook: number): CustomHooks {
  const scripts = new Map(clients.flatMap(({ requests }) => requests.map((request) => [request.tag, request])));

  function actOf(tag: string, side: 'request' | 'response'): HookAct {
    return scripts.get(tag)?.hooks[hook]?.[side] ?? PASS;
  }

  return {
    onRequest(request) {
      const tag = request.query.get('id') ?? '';
      log.entered.push({ tag, hook, side: 'request', atMs: world.nowMs });
      const act = actOf(tag, 'request');
      if (act.act === 'set header') {
        request.headers.set('X-Hook', tag);
        request.headers.set('Host', 'hook.test');
        return undefined;
      }
      const reply =
        act.act === 'answer' ? { status: act.status, headers: { 'X-Sim-Hook': tag }, body: `hook ${tag}` } : undefined;
      return play(world, act, reply) as ReturnType<NonNullable<CustomHooks['onRequest']>>;
    },

    onResponse(response, request) {
      const tag = request.query.get('id') ?? '';
      log.entered.push({ tag, hook, side: 'response', atMs: world.nowMs });
      const act = actOf(tag, 'response');
      if (act.act === 'set header') {
        response.headers.set('X-Hook', tag);
        return undefined;
      }
      return play(world, act, undefined) as Promise<void> | undefined;
    },

    onFinish(_outcome, request) {
      const tag = request.query.get('id') ?? '';
      log.finished.set(`${tag}/${hook}`, (log.finished.get(`${tag}/${hook}`) ?? 0) + 1);
    },
  };
}

const PASS: HookAct = { act: 'pass' };

function play(world: Scheduler, act: HookAct, reply: unknown): unknown {
  switch (act.act) {
    case 'wait':
      return new Promise((resolve) => world.after(act.forMs, 'hook', () => resolve(reply)));
    case 'answer':
      if (act.afterMs === 0) return reply;
      return new Promise((resolve) => world.after(act.afterMs, 'hook', () => resolve(reply)));
    case 'throw':
      if (act.afterMs === 0) throw new HookError('a hook throws');
      return new Promise((_resolve, reject) => {
        world.after(act.afterMs, 'hook', () => reject(new HookError('a hook rejects')));
      });
    case 'never':
      return new Promise(() => {});
    case 'nonsense':
      return true;
    case 'stray':
      void new Promise((_resolve, reject) => {
        world.after(act.afterMs, 'stray', () => reject(new HookError('a stray promise')));
      });
      return undefined;
    default:
      return undefined;
  }
}
