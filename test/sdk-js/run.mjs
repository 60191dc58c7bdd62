// Starts the real program with a certificate of its own, and runs the tests against it with that certificate trusted.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = process.env.LICENSOR ?? '../../bin/licensor';
const files = process.argv.length > 2 ? process.argv.slice(2) : ['graph.test.mjs', 'login.test.mjs', 'spa.test.mjs'];
const dir = mkdtempSync(join(tmpdir(), 'licensor-sdk-'));
const [cert, key, info] = ['cert.pem', 'key.pem', 'info.json'].map((name) => join(dir, name));

execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
  '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', key, '-out', cert], { stdio: 'ignore' });

const server = spawn(program, ['demo', '--listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', key, '--info', info],
  { stdio: ['ignore', 'ignore', 'inherit'] });
let code = 1;
try {
  for (let tries = 0; !existsSync(info); tries++) {
    if (tries > 600 || server.exitCode !== null) throw new Error('the server did not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const tests = spawn(process.execPath, ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files],
    { stdio: 'inherit', env: { ...process.env, NODE_EXTRA_CA_CERTS: cert, LICENSOR_INFO: info } });
  code = await new Promise((resolve) => tests.on('exit', resolve));
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => (server.exitCode !== null ? resolve() : server.on('exit', resolve)));
  rmSync(dir, { recursive: true });
}
process.exit(code);
