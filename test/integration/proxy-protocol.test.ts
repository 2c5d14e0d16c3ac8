import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { testCertificate } from '../support/certificates.ts';
import type { Daemon } from '../support/daemon.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { startHaproxy } from '../support/haproxy.ts';
import { type Nginx, startNginx } from '../support/nginx.ts';
import { runProgram } from '../support/run-program.ts';

/** The PROXY protocol as other programs speak it: HAProxy and curl in front of the gateway, nginx behind it. */

/** Where the clients are. The proxies connect from 127.0.0.1. */
const CLIENT = '127.0.0.2';

async function curl(...args: string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram('curl', [
    '--silent',
    '--show-error',
    '--insecure',
    '--max-time',
    '20',
    ...args,
  ]);
  assert.equal(exitCode, 0, `curl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

const server = { proxy_protocol: true, trusted_proxies: ['127.0.0.1'] };

for (const secure of [false, true]) {
  const scheme = secure ? 'https' : 'http';

  describe(`in front of a listener for ${scheme}`, () => {
    let nginx: Nginx;
    let gateway: Gateway;

    before(async () => {
      nginx = await startNginx(`location / { return 200 '$http_x_forwarded_for $request_uri\\n'; }`);
      gateway = await startGateway({ upstreamPorts: [nginx.port], server, secure });
    });

    after(async () => {
      gateway.plane.close();
      await nginx.close();
    });

    for (const options of [
      'send-proxy',
      'send-proxy-v2',
      'send-proxy-v2 proxy-v2-options crc32c,unique-id,authority',
    ]) {
      test(`HAProxy with ${options} tells who the client is`, async () => {
        const haproxy: Daemon = await startHaproxy(gateway.port, options);
        try {
          const base = `${scheme}://127.0.0.1:${haproxy.port}`;
          const urls = ['/a', '/b', '/c'].map((path) => base + path);
          assert.equal(
            await curl('--interface', CLIENT, ...urls),
            ['/a', '/b', '/c'].map((path) => `${CLIENT} ${path}\n`).join(''),
          );
        } finally {
          await haproxy.close();
        }
      });
    }

    test('HAProxy without send-proxy is cut off', async () => {
      const haproxy: Daemon = await startHaproxy(gateway.port, '');
      try {
        const { exitCode } = await runProgram('curl', [
          '--silent',
          '--insecure',
          '--max-time',
          '20',
          `${scheme}://127.0.0.1:${haproxy.port}/`,
        ]);
        assert.notEqual(exitCode, 0);
      } finally {
        await haproxy.close();
      }
    });

    test('curl with --haproxy-protocol tells who it is, and is not believed from elsewhere', async () => {
      const url = `${scheme}://127.0.0.1:${gateway.port}/`;
      assert.equal(await curl('--haproxy-protocol', url), '127.0.0.1 /\n');
      assert.equal(await curl('--interface', CLIENT, url), `${CLIENT} /\n`);
      const stranger = await runProgram('curl', [
        '--silent',
        '--insecure',
        '--max-time',
        '20',
        '--interface',
        CLIENT,
        '--haproxy-protocol',
        '--write-out',
        '%{http_code}',
        '--output',
        '/dev/null',
        url,
      ]);
      assert.equal(stranger.stdout, secure ? '000' : '400');
    });
  });
}

const { certFile, keyFile } = testCertificate('localhost');
const TLS = { tls: true, sni_hostname: 'localhost', tls_ca: certFile };

for (const tls of [false, true]) {
  describe(`to an nginx that wants PROXY headers${tls ? ' before TLS' : ''}`, () => {
    let nginx: Nginx;

    before(async () => {
      const certificate = tls ? `ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};` : '';
      const answer = `location / { return 200 '$proxy_protocol_addr $http_x_forwarded_for $proxy_protocol_server_port\\n'; }`;
      nginx = await startNginx(certificate + answer, tls ? 'ssl proxy_protocol' : 'proxy_protocol');
    });

    after(() => nginx.close());

    for (const version of ['v1', 'v2']) {
      test(`version ${version} tells who the client is, of every client its own`, async () => {
        const gateway = await startGateway({
          upstreamPorts: [nginx.port],
          upstream: { send_proxy_protocol: version, ...(tls ? TLS : {}) },
        });
        try {
          const url = `http://127.0.0.1:${gateway.port}/`;
          for (const client of [CLIENT, '127.0.0.3', CLIENT, '127.0.0.4']) {
            const seen = `${client} ${client} ${gateway.port}\n`;
            assert.equal(await curl('--interface', client, url, url), seen + seen);
          }
        } finally {
          gateway.plane.close();
        }
      });
    }
  });
}
