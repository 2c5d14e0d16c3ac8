import { PhotonError } from '../base/errors.ts';

/** The failures of connections to upstreams. `failure`: the system's error code; null for an orderly end. */

export function connectFailed(failure: string | null, handshaking: boolean): PhotonError {
  if (handshaking) return new PhotonError('upstream_tls_failed', `No TLS with the upstream (${failure ?? 'closed'}).`);
  if (failure === 'EMFILE' || failure === 'ENFILE') return noDescriptors(failure);
  return new PhotonError('upstream_connect_failed', `No connection to the upstream (${failure ?? 'closed'}).`);
}

/** No fault of the upstream: there was no attempt to connect. */
function noDescriptors(failure: string): PhotonError {
  return new PhotonError('gateway_full', `The gateway cannot open another connection (${failure}).`);
}

export function notConnectedInTime(): PhotonError {
  return new PhotonError('upstream_connect_timeout', 'The upstream did not accept a connection in time.');
}

export function silentTooLong(): PhotonError {
  return new PhotonError('upstream_timeout', 'The upstream was silent for too long.');
}

export function stoppedTaking(): PhotonError {
  return new PhotonError('upstream_write_timeout', 'The upstream stopped taking the request.');
}

/** RFC 9112 9.2: bytes that come before a request is sent are no reply to it. */
export function spokeUnasked(): PhotonError {
  return new PhotonError('upstream_reset', 'The upstream spoke before it was asked.');
}

export function endedEarly(): PhotonError {
  return new PhotonError('upstream_reset', 'The upstream closed the connection before its reply was complete.');
}

export function reset(failure: string | null): PhotonError {
  return new PhotonError('upstream_reset', `The upstream closed the connection (${failure ?? 'closed'}).`);
}

export function malformed(detail: string): PhotonError {
  return new PhotonError('upstream_malformed', detail);
}
