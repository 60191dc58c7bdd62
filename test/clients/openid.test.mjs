// openid-client: a certified client of OpenID Connect that knows nothing of Microsoft.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as openid from 'openid-client';
import { info, register, signIn } from './world.mjs';

const redirect = 'https://rp.contoso.example/back';
const app = await register({ displayName: 'openid-client', web: { redirectUris: [redirect], implicitGrantSettings: { enableIdTokenIssuance: true } } });
const issuer = new URL(`${info.authority}/${info.tenantId}/v2.0`);
const person = { scope: 'openid profile email offline_access User.Read', redirect_uri: redirect };

test('a person signs in by a code with PKCE, and the tokens are renewed', async () => {
  const config = await openid.discovery(issuer, app.appId, app.secretText);
  const [verifier, nonce, state] = [openid.randomPKCECodeVerifier(), openid.randomNonce(), openid.randomState()];
  const start = openid.buildAuthorizationUrl(config, {
    ...person, nonce, state, code_challenge: await openid.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const { url } = await signIn(start);
  const tokens = await openid.authorizationCodeGrant(config, url, { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state });
  assert.equal(tokens.claims().preferred_username, info.userName);
  const me = await openid.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
  assert.equal(me.name, 'Clara Jung');
  const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal(renewed.claims().sub, tokens.claims().sub);
});

test('a server is posted a code and an id token that belong together', async () => {
  const config = await openid.discovery(issuer, app.appId, app.secretText);
  openid.useCodeIdTokenResponseType(config);
  const nonce = openid.randomNonce();
  const { url, form } = await signIn(openid.buildAuthorizationUrl(config, { ...person, nonce, response_mode: 'form_post' }));
  const request = new Request(url, { method: 'POST', body: new URLSearchParams(form) });
  const tokens = await openid.authorizationCodeGrant(config, request, { expectedNonce: nonce });
  assert.equal(tokens.claims().oid.length, 36);
});

test('an application logs in by itself', async () => {
  const config = await openid.discovery(issuer, info.clientId, info.clientSecret);
  const tokens = await openid.clientCredentialsGrant(config, { scope: 'https://graph.microsoft.com/.default' });
  assert.equal(JSON.parse(Buffer.from(tokens.access_token.split('.')[1], 'base64url')).app_displayname, 'Demo application');
});
