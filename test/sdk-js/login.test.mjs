// Logging in: with a certificate, and as a person with a browser.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { ClientCertificateCredential } from '@azure/identity';
import { CryptoProvider, PublicClientApplication } from '@azure/msal-node';
import { accessible, launch, password, signIn, visitor } from './pages.mjs';
import { admin, anything, authority, client, graphAppId, info, licenses, person, products, register, service } from './world.mjs';

const licenseAdministrator = '4d6ac14f-3453-41d0-bef9-a3e0c569773a';

// consent lets an application use delegated permissions for all users, which some of them need an administrator for.
async function consent({ principal }, permissions) {
  const graph = await admin.api(`/servicePrincipals(appId='${graphAppId}')`).get();
  await admin.api('/oauth2PermissionGrants').post({ clientId: principal.id, consentType: 'AllPrincipals', resourceId: graph.id, scope: permissions });
}

test('log in with a certificate, and not with another', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'licensor-certificate-'));
  try {
    const pair = (name) => {
      const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)];
      execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', `/CN=${name}`, '-keyout', key, '-out', cert], { stdio: 'ignore' });
      return readFileSync(cert, 'utf8') + readFileSync(key, 'utf8');
    };
    const [known, unknown] = [pair('known'), pair('unknown')];
    const app = await register({ displayName: 'sdk-certificate', keyCredentials: [{
      type: 'AsymmetricX509Cert', usage: 'Verify', displayName: 'CN=known', key: new X509Certificate(known).raw.toString('base64'),
    }] });
    const graph = await admin.api(`/servicePrincipals(appId='${graphAppId}')`).get();
    const role = graph.appRoles.find((r) => r.value === 'User.Read.All');
    await admin.api(`/servicePrincipals/${app.principal.id}/appRoleAssignments`).post({ principalId: app.principal.id, resourceId: graph.id, appRoleId: role.id });

    const login = (certificate) => new ClientCertificateCredential(info.tenantId, app.appId, { certificate }, authority);
    const own = service(login(known));
    assert.ok((await own.api('/users').top(5).get()).value.length === 5);
    await assert.rejects(own.api('/users').post(person()), { statusCode: 403, code: 'Authorization_RequestDenied' });
    await assert.rejects(login(unknown).getToken(anything), /AADSTS700027/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

// A person whom everybody can be in these tests, and an application that people sign in to.
const passwordProfile = { password, forceChangePasswordNextSignIn: false };
let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

const publicClient = (app) => new PublicClientApplication({
  auth: { clientId: app.appId, authority: `${info.authority}/${info.tenantId}`, knownAuthorities: [new URL(info.authority).host] },
});
const withToken = (token) => client({ getAccessToken: async () => token });

// interactive is what msal-node does with a browser: a code with PKCE, which comes back by form_post.
const interactive = (msal, scopes, openBrowser) => msal.acquireTokenInteractive({ scopes, openBrowser, successTemplate: 'Thanks.' });
const isBack = (page) => page.waitForURL(/^http:\/\/localhost:\d+\/$/);
const guide = { displayName: 'Pocket guide', publicClient: { redirectUris: ['http://localhost'] } };
const profile = ['https://graph.microsoft.com/User.Read'];

test('sign in with a browser, consent, refresh, and what a person may not do', async () => {
  const user = await admin.api('/users').post(person({ passwordProfile }));
  const msal = publicClient(await register(guide));
  const { context, page, complaints } = await visitor(browser);
  const first = await interactive(msal, profile, async (address) => {
    await page.goto(address);
    await accessible(page, 'Sign in');
    await signIn(page, user, 'wrong');
    assert.match(await page.getByRole('alert').innerText(), /password/i);
    await accessible(page, 'Sign in');
    await signIn(page, user);
    await accessible(page, 'Permissions requested');
    await page.getByRole('button', { name: 'Accept' }).click();
    await isBack(page);
  });
  assert.equal(first.account.username, user.userPrincipalName);
  assert.equal(first.account.tenantId, info.tenantId);
  assert.ok(first.scopes.includes(profile[0]), `the scopes are ${first.scopes}`);

  const me = withToken(first.accessToken);
  assert.equal((await me.api('/me').get()).id, user.id);
  assert.deepEqual((await me.api('/me/memberOf').get()).value, []);
  await assert.rejects(me.api(`/users/${user.id}/assignLicense`).post(licenses([products.ems])), { statusCode: 403, code: 'Authorization_RequestDenied' });

  const again = await msal.acquireTokenSilent({ account: first.account, scopes: profile, forceRefresh: true });
  assert.ok(!again.fromCache);
  assert.notEqual(again.accessToken, first.accessToken);
  assert.equal((await withToken(again.accessToken).api('/me').get()).id, user.id);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('who is signed in and has agreed is asked nothing, and a code comes back in the address, too', async () => {
  const user = await admin.api('/users').post(person({ passwordProfile }));
  const receiver = createServer((request, response) => response.end('Thanks.')).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const redirectUri = `http://localhost:${receiver.address().port}/back`;
  const msal = publicClient(await register({ displayName: 'Post office', publicClient: { redirectUris: ['http://localhost/back'] } }));
  const { context, page, complaints } = await visitor(browser);
  // visit goes to the authority, and answers what comes back to the application.
  const visit = async (request, pass) => {
    const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
    const state = randomUUID();
    await page.goto(await msal.getAuthCodeUrl({
      scopes: profile, redirectUri, responseMode: 'query', state, codeChallenge: challenge, codeChallengeMethod: 'S256', ...request,
    }));
    await pass?.();
    await page.waitForURL(`${redirectUri}?*`);
    const back = Object.fromEntries(new URL(page.url()).searchParams);
    assert.equal(back.state, state);
    return { ...back, redeem: (codeVerifier = verifier) => msal.acquireTokenByCode({ scopes: profile, redirectUri, code: back.code, codeVerifier }) };
  };

  assert.equal((await visit({ prompt: 'none' })).error, 'login_required');
  const refused = await visit({}, async () => {
    await signIn(page, user);
    await page.getByRole('button', { name: 'Cancel' }).click();
  });
  assert.equal(refused.error, 'access_denied');
  const first = await visit({}, () => page.getByRole('button', { name: 'Accept' }).click());
  assert.equal((await first.redeem()).account.username, user.userPrincipalName);
  await assert.rejects(first.redeem(), /AADSTS54005/);
  const second = await visit({ prompt: 'none' });
  await assert.rejects(second.redeem('wrong-'.repeat(9)), /AADSTS501481/);
  const third = await visit({ prompt: 'none', loginHint: user.userPrincipalName });
  assert.equal((await withToken((await third.redeem()).accessToken).api('/me').get()).id, user.id);
  await visit({ prompt: 'select_account' }, async () => {
    await accessible(page, 'Choose an account');
    await page.getByRole('button', { name: /Continue as/ }).click();
  });
  await page.goto(`${info.authority}/${info.tenantId}/oauth2/v2.0/logout`);
  await accessible(page, 'You have signed out');
  assert.equal((await visit({ prompt: 'none' })).error, 'login_required');
  assert.deepEqual(complaints, []);
  receiver.close();
  await context.close();
});

test('sign in without scripts, with a password that has to be changed', async () => {
  const user = await admin.api('/users').post(person({ passwordProfile: { password, forceChangePasswordNextSignIn: true } }));
  const app = await register(guide);
  await consent(app, 'User.Read openid profile offline_access');
  const { context, page } = await visitor(browser, { javaScriptEnabled: false });
  const token = await interactive(publicClient(app), profile, async (address) => {
    await page.goto(address);
    await signIn(page, user);
    await page.getByLabel('Current password').fill(password);
    await page.getByLabel('New password', { exact: true }).fill('Battery-staple-8');
    await page.getByLabel('New password, again').fill('Battery-staple-8');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await isBack(page);
  });
  assert.equal((await withToken(token.accessToken).api('/me').get()).id, user.id);
  await context.close();
});

test('sign in with a device code', async () => {
  const user = await admin.api('/users').post(person({ passwordProfile }));
  const app = await register({ displayName: 'Wall clock', isFallbackPublicClient: true });
  const { context, page, complaints } = await visitor(browser);
  let pages;
  const token = await publicClient(app).acquireTokenByDeviceCode({ scopes: profile, timeout: 60, deviceCodeCallback: ({ verificationUri, userCode }) => {
    pages = (async () => {
      await page.goto(verificationUri);
      await accessible(page, 'Enter the code');
      await page.getByLabel('Code').fill('WRONG-CODE');
      await page.getByRole('button', { name: 'Next' }).click();
      await accessible(page, 'Enter the code');
      await page.getByLabel('Code').fill(userCode.toLowerCase());
      await page.getByRole('button', { name: 'Next' }).click();
      await signIn(page, user);
      await accessible(page, 'Sign in on another device');
      await page.getByRole('button', { name: 'Continue' }).click();
      await accessible(page, 'Permissions requested');
      await page.getByRole('button', { name: 'Accept' }).click();
      await accessible(page, 'You have signed in');
    })();
  } });
  await pages;
  assert.equal((await withToken(token.accessToken).api('/me').get()).id, user.id);
  assert.deepEqual(complaints, []);
  await context.close();
});

test('what needs an administrator, and an address that is not registered, end on pages that say so', async () => {
  const user = await admin.api('/users').post(person({ passwordProfile }));
  const app = await register(guide);
  const msal = publicClient(app);
  const { context, page, complaints } = await visitor(browser);
  const wanted = ['https://graph.microsoft.com/LicenseAssignment.ReadWrite.All'];
  await assert.rejects(interactive(msal, wanted, async (address) => {
    await page.goto(address);
    await signIn(page, user);
    await accessible(page, 'Approval required');
    await page.getByRole('button', { name: 'Return to the application' }).click();
    await isBack(page);
  }), { errorCode: 'access_denied' });

  await page.goto(await msal.getAuthCodeUrl({ scopes: profile, redirectUri: 'https://elsewhere.example/back' }));
  await accessible(page, 'Sorry, that did not work');
  assert.match(await page.getByRole('main').innerText(), /AADSTS50011/);
  await page.goto(`${info.authority}/common/oauth2/v2.0/authorize?client_id=${app.appId}&response_type=code&redirect_uri=http%3A%2F%2Flocalhost&scope=openid&prompt=login`);
  await accessible(page, 'Who are you?');
  assert.deepEqual(complaints, []);

  // An administrator agrees for everybody; what the person may do still depends on their roles.
  await consent(app, 'LicenseAssignment.ReadWrite.All openid profile offline_access');
  const { accessToken } = await interactive(msal, wanted, async (address) => {
    await page.goto(address);
    await isBack(page);
  });
  const own = withToken(accessToken).api(`/users/${user.id}/assignLicense`);
  await assert.rejects(own.post(licenses([products.ems])), { statusCode: 403, code: 'Authorization_RequestDenied' });
  await admin.api('/roleManagement/directory/roleAssignments').post({ principalId: user.id, roleDefinitionId: licenseAdministrator, directoryScopeId: '/' });
  assert.equal((await own.post(licenses([products.ems]))).assignedLicenses[0].skuId, products.ems);
  await context.close();
});
