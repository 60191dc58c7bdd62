// Starts the real program with a certificate of its own authority, and runs clients that others write against it.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './port.mjs';

const program = process.env.LICENSOR ?? '../../bin/licensor';
const files = process.argv.length > 2 ? process.argv.slice(2) : ['openid.test.mjs', 'passport.test.mjs', 'authjs.test.mjs', 'oauth2-proxy.test.mjs', 'm365.test.mjs', 'azure-cli.test.mjs', 'az.test.mjs'];
const dir = mkdtempSync(join(tmpdir(), 'licensor-clients-'));
const info = join(dir, 'info.json');
mkdirSync(join(dir, 'home'));

const address = `127.0.0.1:${await freePort()}`;
const server = spawn(program, ['demo', '--listen', address, '--public-url', `https://${address}`, '--tls', 'self-signed', '--tls-dir', join(dir, 'ca'),
  '--tls-name', 'login.microsoftonline.com', '--tls-name', 'graph.microsoft.com', '--info', info], { stdio: ['ignore', 'ignore', 'inherit'] });
let code = 1;
try {
  for (let tries = 0; !existsSync(info); tries++) {
    if (tries > 600 || server.exitCode !== null) throw new Error('the server did not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const { GOCACHE, GOPATH } = JSON.parse(execFileSync('go', ['env', '-json', 'GOCACHE', 'GOPATH'])); // with a home of their own, tests keep what Go has built
  const env = { ...process.env, GOCACHE, GOPATH, NODE_EXTRA_CA_CERTS: join(dir, 'ca', 'ca.pem'), LICENSOR_INFO: info, LICENSOR_ADDRESS: address, HOME: join(dir, 'home') };
  const run = (program, args, more) => new Promise((resolve) => spawn(program, args, { stdio: 'inherit', env: { ...env, ...more } }).on('exit', resolve));
  const failed = [];
  if (files.length) failed.push(await run(process.execPath, ['--test', '--test-reporter=spec', '--test-concurrency=1', ...files]));
  if (process.argv.length === 2) failed.push(await run('go', ['test', '-count=1', './...'], { SSL_CERT_FILE: join(dir, 'ca', 'ca.pem'), HOME: process.env.HOME }));
  code = failed.find((code) => code !== 0) ?? 0;
} finally {
  server.kill('SIGTERM');
  await new Promise((resolve) => (server.exitCode !== null ? resolve() : server.on('exit', resolve)));
  rmSync(dir, { recursive: true });
}
process.exit(code);
