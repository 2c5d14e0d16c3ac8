import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseTransport } from '../../src/net/choose-transport.ts';
import { onreadTransport } from '../../src/net/onread-transport.ts';
import { plainTransport } from '../../src/net/plain-transport.ts';
import { transportContract } from './transport.ts';

transportContract(onreadTransport);
transportContract(plainTransport);

test('the transport that is forced is the one that runs, and a wrong name is refused', () => {
  assert.equal(chooseTransport('plain'), plainTransport);
  assert.equal(chooseTransport('onread'), onreadTransport);
  assert.equal(chooseTransport(undefined), onreadTransport);
  assert.equal(chooseTransport(''), onreadTransport);
  assert.throws(() => chooseTransport('fast'), { message: /want PHOTON_TRANSPORT to be onread or plain, got "fast"/ });
});
