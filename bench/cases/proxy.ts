/** CPU per proxied request, for replies and uploads of several sizes. */
import { allCandidates, type Case, photonCandidate } from '../bench.ts';
import { loadContender, loadMetrics } from '../measure.ts';
import { smallAt, workloads } from '../origin.ts';
import type { Workload } from '../workload.ts';

const shared = {
  metrics: loadMetrics,
  compared: ['cpuUs', 'userUs'],
  defaultRounds: 9,
  needs: ['nginx', 'wrk', 'taskset'],
};

function proxyCase(name: string, about: string, workload: Workload): Case {
  return {
    ...shared,
    name,
    about,
    defaultPeers: ['nginx', 'haproxy'],
    contenders: (bench) => Promise.all(allCandidates(bench).map((who) => loadContender(bench, who, workload))),
  };
}

export const proxyCases: readonly Case[] = [
  proxyCase('proxy-small', 'GET, reply of 64 bytes of JSON, 64 connections, browser-like headers', workloads.small),
  proxyCase('proxy-16k', 'GET, reply of 16 KiB', workloads.file16k),
  proxyCase('proxy-256k', 'GET, reply of 256 KiB', workloads.file256k),
  proxyCase('proxy-post-4k', 'POST, body of 4 KiB, small reply', workloads.upload),
];

const SERVICES = 100;
const RESOURCES = 100;

interface ManyRoutes {
  readonly patterns: readonly string[];
  /** One target for each pattern, in an order that jumps about. */
  readonly targets: readonly string[];
}

/** A hundred services with a hundred resources each, the patterns of three kinds. */
function tenThousandRoutes(): ManyRoutes {
  const patterns: string[] = [];
  const targets: string[] = [];
  for (let i = 0; i < SERVICES * RESOURCES; i++) {
    const resource = `/service-${Math.floor(i / RESOURCES)}/v1/resource-${i % RESOURCES}`;
    const [pattern, target] = [
      [resource, resource],
      [`${resource}/{id}`, `${resource}/4711`],
      [`${resource}/**`, `${resource}/a/b`],
    ][i % 3] as [string, string];
    patterns.push(pattern);
    targets.push(target);
  }
  // 7,919 is prime to 10,000, so that every target comes once.
  return { patterns, targets: targets.map((_, i) => targets[(i * 7919) % targets.length] as string) };
}

export const manyRoutesCase: Case = {
  ...shared,
  name: 'routes-10000',
  about: "10,000 routes, every request to another one, against Photon's own proxy-small",
  defaultPeers: [],
  contenders: (bench) => {
    const { patterns, targets } = tenThousandRoutes();
    return Promise.all([
      loadContender(bench, photonCandidate(bench, { paths: patterns, name: 'photon-10000' }), smallAt(targets)),
      // The same requests with one route: what is left is the longer targets, and a load generator with more to do.
      loadContender(bench, photonCandidate(bench, { name: 'photon-1' }), smallAt(targets)),
      loadContender(bench, photonCandidate(bench), workloads.small),
    ]);
  },
};
