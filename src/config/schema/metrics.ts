import { z } from 'zod';
import { absolutePath } from '../http-option-types.ts';
import { flag, listenAddress } from '../option-types.ts';

export const metrics = z
  .strictObject({
    prometheus: flag().describe('Whether metrics are served.').prefault(true),
    metrics_addr: listenAddress().describe('Where the admin server listens.').prefault('127.0.0.1:9090'),
    metrics_path: absolutePath().describe('Path of the metrics on the admin server.').prefault('/metrics'),
    detailed_metrics: flag().describe('Whether metrics are split by route and upstream.').prefault(true),
  })
  .describe('Metrics for Prometheus.');
