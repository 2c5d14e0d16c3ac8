import { fakeScene } from './fake-streams.ts';
import { h1Scene } from './h1-streams.ts';
import { streamsContract } from './streams.ts';

streamsContract('HTTP/1.1', h1Scene);
streamsContract('a protocol of objects', fakeScene);
