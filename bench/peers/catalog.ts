import { bareSockets } from './bare-sockets.ts';
import { haproxy } from './haproxy.ts';
import { nginx, nginxTuned } from './nginx.ts';
import type { Peer } from './peer.ts';

export const peers: readonly Peer[] = [nginx, nginxTuned, haproxy, bareSockets];
