// passport-azure-ad: the sign-in of web servers written for Node.js, which asks for "code id_token" by form_post.
import assert from 'node:assert/strict';
import test from 'node:test';
import passport from 'passport-azure-ad';
import { info, register, signIn } from './world.mjs';

const redirect = 'https://web.contoso.example/auth/openid/return';
const app = await register({ displayName: 'passport-azure-ad', web: { redirectUris: [redirect], implicitGrantSettings: { enableIdTokenIssuance: true } } });

// authenticate has the strategy answer one request: with an address to go to, or with who has signed in.
function authenticate(options, session, body = {}) {
  return new Promise((resolve, reject) => {
    const strategy = new passport.OIDCStrategy({
      identityMetadata: `${info.authority}/${info.tenantId}${options.version}/.well-known/openid-configuration`,
      clientID: app.appId, clientSecret: app.secretText, redirectUrl: redirect, responseMode: 'form_post', passReqToCallback: false,
      loggingLevel: 'error', loggingNoPII: true, scope: ['openid', 'profile', 'email'], ...options,
    }, (iss, sub, profile, accessToken, refreshToken, done) => done(null, { ...profile, accessToken }));
    Object.assign(strategy, {
      redirect: resolve, success: resolve, error: reject, fail: (why) => reject(new Error(why)), pass: () => reject(new Error('passed over')),
    });
    strategy.authenticate({ session, query: {}, body, method: Object.keys(body).length ? 'POST' : 'GET', headers: {} }, {});
  });
}

for (const version of ['/v2.0', '']) {
  for (const responseType of ['code id_token', 'id_token', 'code']) {
    test(`a person signs in with ${responseType} at ${version || 'v1'}`, async () => {
      const session = {};
      const { url, form } = await signIn(await authenticate({ version, responseType }, session));
      assert.equal(url.href, redirect);
      const profile = await authenticate({ version, responseType }, session, form);
      assert.equal(profile.displayName, 'Clara Jung');
      if (version || responseType === 'id_token') assert.equal(profile.oid.length, 36); // the profile of v1's code is what userinfo says
      assert.equal(Boolean(profile.accessToken), responseType !== 'id_token');
    });
  }
}
