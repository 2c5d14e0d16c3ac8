import { z } from 'zod';
import { originPattern, token } from '../http-option-types.ts';
import { byteSize, duration, flag, listOf } from '../option-types.ts';

export const websocket = z
  .strictObject({
    enabled: flag().describe('Whether the route takes WebSocket upgrades.').prefault(false),
    protocols: listOf(token(), 'subprotocols')
      .describe('The subprotocols that may be negotiated; by default every one.')
      .optional(),
    timeout: duration().describe('The longest life of a connection; by default there is no limit.').optional(),
    idle_timeout: duration()
      .describe('The longest time without a frame in either direction; by default there is no limit.')
      .optional(),
    max_message_size: byteSize(1).describe('The most bytes of a message; by default there is no limit.').optional(),
    origins: listOf(originPattern(), 'origins')
      .describe('The origins that may connect; by default every one.')
      .optional(),
  })
  .describe('WebSocket connections of this route.');
