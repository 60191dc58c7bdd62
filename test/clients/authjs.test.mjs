// Auth.js: the sign-in of sites written with Next.js, SvelteKit and the like, with its provider for Entra ID. The provider asks
// graph.microsoft.com for the person's photo, so that name leads to the server.
import './names.cjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { Auth } from '@auth/core';
import EntraID from '@auth/core/providers/microsoft-entra-id';
import { info, register, signIn } from './world.mjs';

const site = 'https://site.contoso.example/auth';
const app = await register({ displayName: 'Auth.js', web: { redirectUris: [`${site}/callback/microsoft-entra-id`] } });

// browser asks the site, keeps its cookies, and answers what comes back.
function browser(config) {
  const cookies = new Map();
  return async (url, form) => {
    const headers = { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; ') };
    const response = await Auth(new Request(url, { method: form ? 'POST' : 'GET', headers, body: form && new URLSearchParams(form) }), config);
    for (const cookie of response.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      cookies.set(key, value);
    }
    return response;
  };
}

test('a person signs in to a site, which knows who it is', async () => {
  let tokens;
  const ask = browser({
    secret: 'a secret of the site', trustHost: true, basePath: '/auth',
    providers: [EntraID({ clientId: app.appId, clientSecret: app.secretText, issuer: `${info.authority}/${info.tenantId}/v2.0` })],
    callbacks: { jwt: ({ token, account }) => { tokens ??= account; return token; } },
  });
  const { csrfToken } = await (await ask(`${site}/csrf`)).json();
  const start = (await ask(`${site}/signin/microsoft-entra-id`, { csrfToken, callbackUrl: site })).headers.get('location');
  assert.ok(start.startsWith(info.authority), start);
  const { url } = await signIn(start);
  const back = await ask(url);
  assert.equal(back.headers.get('location'), site);
  const { user } = await (await ask(`${site}/session`)).json();
  assert.deepEqual([user.name, user.email], ['Clara Jung', info.userName]);
  const me = await fetch(`${info.graph}/v1.0/me`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
  assert.equal((await me.json()).userPrincipalName, info.userName);
});
