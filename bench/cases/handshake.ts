/** CPU per TLS connection with one request on it. */
import { allCandidates, type Bench, type Candidate, type Case, type Contender, type Sample } from '../bench.ts';
import { makeHandshakes } from '../handshakes.ts';
import { cpuMetrics, measureCpu } from '../measure.ts';
import { workloads } from '../origin.ts';
import { verifyReplies } from '../workload.ts';

const workload = workloads.small;

function handshakeCase(name: string, about: string, resume: boolean): Case {
  return {
    ...{ name, about },
    metrics: [...cpuMetrics, { key: 'connectionsPerSecond', title: 'connections/s', digits: 0 }],
    compared: ['cpuUs', 'userUs'],
    defaultPeers: ['nginx', 'haproxy'],
    defaultRounds: 5,
    needs: ['nginx', 'taskset'],
    contenders: (bench) => Promise.all(allCandidates(bench, true).map((who) => handshakeContender(bench, who, resume))),
  };
}

export const handshakeCases: readonly Case[] = [
  handshakeCase('tls-handshake', 'a full TLS 1.3 handshake (ECDSA P-256) and one small request', false),
  handshakeCase('tls-resumed', 'a resumed TLS 1.3 session and one small request', true),
];

async function handshakeContender(bench: Bench, candidate: Candidate, resume: boolean): Promise<Contender> {
  const gateway = await candidate.start();
  await verifyReplies(gateway, workload);
  const load = { port: gateway.port, workload, resume };

  async function measure(): Promise<Sample> {
    await makeHandshakes({ ...load, seconds: 1 });
    const { seconds } = bench;
    const { result, cpuUs, userUs, systemUs } = await measureCpu(gateway, () => makeHandshakes({ ...load, seconds }));
    return { cpuUs, userUs, systemUs, connectionsPerSecond: result.requests / seconds };
  }

  return { name: candidate.name, version: candidate.version, measure, stop: () => gateway.stop() };
}
