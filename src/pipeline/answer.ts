import { PhotonError } from '../base/errors.ts';
import { FRAMING } from '../http/framing.ts';
import { COMMON_METHODS } from '../http/methods.ts';
import { sendErrorReply } from './error-response.ts';
import type { Exchange } from './exchange.ts';
import { finish } from './finish.ts';
import { traceLines } from './trace-lines.ts';

/** RFC 9110 9.3.7: `OPTIONS *` asks about the server itself, so it goes no further. */
export function replyToOptionsAsterisk(exchange: Exchange): void {
  const { reply, downstream, services } = exchange;
  reply.status = 204;
  reply.framing = FRAMING.NONE;
  reply.contentLength = -1;
  reply.additions = `Allow: ${COMMON_METHODS}\r\nDate: ${services.date}\r\n${traceLines(1, exchange.id)}`;
  exchange.replyStarted = true;
  downstream?.sendHead(reply, !downstream.requestComplete);
  downstream?.sendEnd();
  finish(exchange);
}

/** RFC 9110 15.4.9: 308 keeps method and body. The port is left out where it is the one of the scheme. */
export function redirectToHttps(exchange: Exchange, port: number): void {
  const { reply, downstream, services, host, target } = exchange;
  if (host === '') throw new PhotonError('bad_host', 'Without Host nobody can say where HTTPS is.');
  const query = target.hasQuery ? `?${target.query}` : '';
  const location = `https://${host}${port === 443 ? '' : `:${port}`}${target.path}${query}`;
  reply.status = 308;
  reply.framing = FRAMING.LENGTH;
  reply.contentLength = 0;
  reply.additions = `Location: ${location}\r\nDate: ${services.date}\r\n${traceLines(1, exchange.id)}`;
  exchange.replyStarted = true;
  downstream?.sendHead(reply, !downstream.requestComplete);
  downstream?.sendEnd();
  finish(exchange);
}

/** The path is known, but not under this method; `allow` lists those it is known under. */
export function replyMethodNotAllowed(exchange: Exchange, allow: string): void {
  const error = new PhotonError('method_not_allowed', `This path takes ${allow}.`);
  sendErrorReply(exchange, error, `Allow: ${allow}\r\n`);
  finish(exchange, error);
}
