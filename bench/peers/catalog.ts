import { bareSockets } from './bare-sockets.ts';
import { haproxy } from './haproxy.ts';
import { nginx, nginxLog, nginxLogBuffered, nginxSameJob, nginxTuned } from './nginx.ts';
import type { Peer } from './peer.ts';

export const peers: readonly Peer[] = [
  nginx,
  nginxSameJob,
  nginxTuned,
  nginxLog,
  nginxLogBuffered,
  haproxy,
  bareSockets,
];
