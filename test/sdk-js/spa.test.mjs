// A page that runs in the browser alone: it signs people in, refreshes and calls Graph from another origin than the server's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import test from 'node:test';
import { launch, password, signIn, visitor } from './pages.mjs';
import { admin, info, person, register } from './world.mjs';

const library = readFileSync(new URL('node_modules/@azure/msal-browser/lib/msal-browser.min.js', import.meta.url));
const documents = { '/': ['text/html', '<!doctype html><html lang="en"><title>Page</title><script src="/msal.js"></script>'], '/msal.js': ['text/javascript', library] };

test('a page signs in, refreshes and calls Graph', async () => {
  const files = createServer((request, response) => {
    const [type, text] = documents[new URL(request.url, 'http://localhost').pathname] ?? ['text/plain', ''];
    response.writeHead(text ? 200 : 404, { 'Content-Type': type }).end(text);
  }).listen(0, '127.0.0.1');
  await once(files, 'listening');
  const home = `http://localhost:${files.address().port}/`;
  const user = await admin.api('/users').post(person({ passwordProfile: { password, forceChangePasswordNextSignIn: false } }));
  const app = await register({ displayName: 'Page', spa: { redirectUris: [home] } });
  const browser = await launch();
  const { page, complaints } = await visitor(browser);
  const settings = {
    auth: { clientId: app.appId, authority: `${info.authority}/${info.tenantId}`, knownAuthorities: [new URL(info.authority).host], redirectUri: home },
  };
  const scopes = ['https://graph.microsoft.com/User.Read'];
  try {
    await page.goto(home);
    page.evaluate(async ([settings, scopes]) => {
      const client = await msal.createStandardPublicClientApplication(settings);
      await client.loginRedirect({ scopes });
    }, [settings, scopes]).catch(() => {}); // the page goes away meanwhile
    await page.getByLabel('User name').waitFor();
    await signIn(page, user);
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.waitForURL(`${home}**`);
    const seen = await page.evaluate(async ([settings, scopes, graph]) => {
      const client = await msal.createStandardPublicClientApplication(settings);
      const { accessToken, account } = await client.handleRedirectPromise();
      const again = await client.acquireTokenSilent({ scopes, account, forceRefresh: true });
      const me = async (token) => (await (await fetch(`${graph}/v1.0/me`, { headers: { Authorization: `Bearer ${token}` } })).json()).id;
      return { name: account.username, first: await me(accessToken), again: await me(again.accessToken), same: again.accessToken === accessToken };
    }, [settings, scopes, info.graph]);
    assert.deepEqual(seen, { name: user.userPrincipalName, first: user.id, again: user.id, same: false });
    assert.deepEqual(complaints, []);
  } finally {
    await browser.close();
    files.close();
  }
});
