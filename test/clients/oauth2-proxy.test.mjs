// oauth2-proxy: a proxy that lets only people through who have signed in, with its providers for any issuer and for Entra ID. The program
// is built from its module.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'node:test';
import { freePort } from './port.mjs';
import { info, register, run, signIn } from './world.mjs';

const dir = mkdtempSync(join(homedir(), 'oauth2-proxy-'));
await run('go', ['install', 'github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6'], { GOBIN: dir });

// start starts the proxy, and answers how to ask it as a browser does, with the cookies that it has set.
async function start(t, provider) {
  const address = `127.0.0.1:${await freePort()}`;
  const app = await register({ displayName: 'oauth2-proxy', web: { redirectUris: [`http://${address}/oauth2/callback`] } });
  const proxy = spawn(join(dir, 'oauth2-proxy'), [
    `--provider=${provider}`, `--oidc-issuer-url=${info.authority}/${info.tenantId}/v2.0`, `--client-id=${app.appId}`, `--client-secret=${app.secretText}`,
    `--http-address=${address}`, `--redirect-url=http://${address}/oauth2/callback`, '--upstream=static://200', '--email-domain=*', '--cookie-secure=false',
    `--cookie-secret=${randomBytes(16).toString('hex')}`, '--code-challenge-method=S256', '--scope=openid profile email offline_access User.Read',
    '--skip-provider-button=true', '--request-logging=false', '--auth-logging=false',
  ], { env: { ...process.env, SSL_CERT_FILE: info.ca }, stdio: ['ignore', 'ignore', 'inherit'] });
  t.after(() => proxy.kill());
  const cookies = new Map();
  const ask = async (url) => {
    const headers = { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') };
    const response = await fetch(new URL(url, `http://${address}`), { headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      cookies.set(key, value);
    }
    return response;
  };
  for (let tries = 0; ; tries++) {
    if (proxy.exitCode !== null || tries > 300) throw new Error('the proxy did not start');
    if (await ask('/ping').then((response) => response.ok, () => false)) return ask;
    await setTimeout(100);
  }
}

for (const provider of ['oidc', 'entra-id']) {
  test(`a person is let through after signing in (${provider})`, async (t) => {
    const ask = await start(t, provider);
    assert.equal((await ask('/oauth2/auth')).status, 401);
    const { url } = await signIn((await ask('/inner?page=1')).headers.get('location'));
    const back = await ask(url);
    assert.deepEqual([back.status, back.headers.get('location')], [302, '/inner?page=1']);
    assert.equal((await ask('/inner?page=1')).status, 200);
    assert.equal((await (await ask('/oauth2/userinfo')).json()).email, info.userName);
  });
}
