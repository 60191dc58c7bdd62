// The requests of the Azure CLI, without it (azure-cli.mjs). az.test.mjs runs the real one where it is installed.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { AzureCLI, GraphError } from './azure-cli.mjs';
import { info, post } from './world.mjs';

// login is az login --service-principal: the token for Graph, or the error.
const login = (id, secret) => post(`${info.authority}/${info.tenantId}/oauth2/v2.0/token`, {
  client_id: id, client_secret: secret, grant_type: 'client_credentials', scope: `${info.graph}//.default`, // the resource with its slash
});

const { access_token: token } = await login(info.clientId, info.clientSecret);
const az = new AzureCLI(info.graph, token);
// key is a certificate for an RSA key, which is valid until 2035, as az sends it.
const key = [
  'MIICoTCCAYmgAwIBAgIBATANBgkqhkiG9w0BAQsFADAUMRIwEAYDVQQDEwlSZWQgcm9ib3QwHhcNMjUwMTAxMDAwMDAwWhcNMzUwMTAxMDAwMDAwWjAUMRIwEAYDVQQDEwlSZWQgcm9i',
  'b3QwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQC0siDcMaiE1WpfOkdy2mWN8AYE+1jQWcLzFMF3wQ7CmCAQZGrFAUqqHNNrUBgdwcNx2mR4nIfjNCh15aaETOx+uuIJ1Lnu',
  'Xy6WTPX24RqFN40rRfmyLRp1yGgsAZzQYA+4AKSaNWiweLacJfCncq1BUIYKNPxEGfoR2WleFOVeZ74v++ELrtTJ5pi2pLWi+z1hMnKU4blt2Fi4potGYa6iGPO4d1ySt/ILiMsv4M5O',
  'FyxIQmZOVHNxygtAAWdh8snl42EFMNzOwR/K9sTPgsvgddSZRHFkOfeIDa5KCb2zPBrN4qBP7QdLWdsjgE/zuct5TH7xr9G3ZOEUrU6CGyoLAgMBAAEwDQYJKoZIhvcNAQELBQADggEB',
  'AFSVzofQhNHdR5FdpbONhtB0GEmcrwhNgvbsD7D7Kh3pJ6dMnzrNn2FRWBtnljmWFx0nbfavfCJVOBWGyLDBhPLa6+moFyzb6XgBI2Li//8FpEHeDPHxPgzQqVM9waSMFq8lenN8cRFn',
  'OtYHY1gX7aoPRG1DLQOuuO+KWTFDC6KWRxG9zdAUrPOD3YRXPPPPlJtrxo5fQ1P++rQm1xjJYb0OYo/5FJBOYCl+aFpQVtNtBbfCHHKWXJEMRdtjK+kv1w9bgcKZHC1Q667Y7wV1NZGK',
  'x5UHmZbILTOd6vGuckoR0vhdIA58N4N2FypVDM3FZpmnXB3y2UEz8IV1HK/jEq0=',
].join('');
const missing = (status) => (error) => error instanceof GraphError && error.status === status;

test('az ad app', async (t) => {
  const name = 'Prüfung by az', uri = `api://${info.tenantId}/az-app`;
  const wanted = {
    displayName: name, identifierUris: [uri], isFallbackPublicClient: true, signInAudience: 'AzureADMyOrg',
    web: { homePageUrl: 'https://app.example', redirectUris: ['https://app.example/callback'], implicitGrantSettings: { enableIdTokenIssuance: true, enableAccessTokenIssuance: false } },
    publicClient: { redirectUris: ['http://localhost'] },
    appRoles: [{ allowedMemberTypes: ['User'], description: 'Approves', displayName: 'Approver', isEnabled: true, value: 'approve', id: randomUUID() }],
    optionalClaims: { idToken: [{ name: 'auth_time', essential: false }], accessToken: [{ name: 'ipaddr', essential: false }] },
    requiredResourceAccess: [{ resourceAppId: '00000003-0000-0000-c000-000000000000', resourceAccess: [{ id: 'e1fe6dd8-ba31-4d61-89e7-88639da4683d', type: 'Scope' }] }],
  };
  let app;
  await t.test('create', async () => {
    app = await az.command('ad app create', '--display-name', '--identifier-uris', '--app-roles').createApp(wanted);
    assert.deepEqual(app.identifierUris, [uri]);
    assert.equal(app.web.implicitGrantSettings.enableIdTokenIssuance, true);
    assert.equal(app.appRoles[0].value, 'approve');
  });
  await t.test('create, when it is there, updates it', async () => {
    const again = await az.command('ad app create', '--display-name', '--web-home-page-url').createApp({ displayName: name, keyCredentials: [], web: { homePageUrl: 'https://other.example' } });
    assert.equal(again.id, app.id);
    assert.equal(again.web.homePageUrl, 'https://other.example');
  });
  await t.test('show by each of its names, and list', async () => {
    az.command('ad app show', '--id');
    for (const id of [app.id, app.appId, uri]) assert.equal((await az.showApp(id)).id, app.id);
    az.command('ad app list', '--filter');
    for (const filter of [`appId eq '${app.appId}'`, `startswith(displayName,'Prüf')`, `identifierUris/any(s:s eq '${uri}')`, `startswith(displayName,'Prüf') and appId eq '${app.appId}'`]) {
      assert.deepEqual((await az.listApps(filter)).map((one) => one.id), [app.id], filter);
    }
  });
  await t.test('update', async () => {
    const updated = await az.command('ad app update', '--id', '--web-redirect-uris').updateApp(app.appId, { web: { redirectUris: ['https://app.example/a', 'https://app.example/b'] } });
    assert.equal(updated.web.redirectUris.length, 2);
    assert.equal((await az.command('ad app update', '--id', '--set').updateApp(uri, { groupMembershipClaims: 'All' })).groupMembershipClaims, 'All');
  });
  await t.test('permission add', async () => {
    await az.command('ad app permission add', '--id', '--api', '--api-permissions').addPermission(app.appId, '00000002-0000-0000-c000-000000000000', '311a71cc-e848-46a1-bdf8-97ff7156d8e6', 'Scope');
    assert.equal((await az.showApp(app.appId)).requiredResourceAccess.length, 2);
  });
  await t.test('owner add and remove', async () => {
    const { id } = await az.command('ad app owner add', '--id', '--owner-object-id').showUser(info.userName);
    await az.addAppOwner(app.appId, id);
    await az.addAppOwner(app.appId, id); // az asks first, so that nothing fails
    await az.command('ad app owner remove', '--id', '--owner-object-id').removeAppOwner(app.appId, id);
  });
  await credentials(t, 'app', 'applications', () => app);
  await t.test('delete', async () => {
    await az.command('ad app delete', '--id').deleteApp(uri);
    await assert.rejects(az.showApp(app.appId), missing(404));
  });
});

// credentials resets, lists and deletes passwords and certificates of an application or service principal.
async function credentials(t, noun, at, object) {
  const { appId } = object();
  await t.test(`${noun} credential reset replaces the passwords`, async () => {
    az.command(`ad ${noun} credential reset`, '--id');
    const before = await az.resetCredential(at, appId);
    const secret = await az.resetCredential(at, appId);
    assert.ok(secret && secret !== before);
    assert.equal((await az.command(`ad ${noun} credential list`, '--id').listCredentials(at, appId)).length, 1);
    if (at === 'applications') return; // it has no service principal
    assert.ok((await login(appId, secret)).access_token);
    assert.equal((await login(appId, before)).error, 'invalid_client');
  });
  await t.test(`${noun} credential reset --append keeps them, and delete removes one`, async () => {
    await az.command(`ad ${noun} credential reset`, '--id', '--append', '--display-name').resetCredential(at, appId, { append: true, displayName: 'zweites Kennwort' });
    const all = await az.command(`ad ${noun} credential list`, '--id').listCredentials(at, appId);
    assert.equal(all.length, 2);
    const { keyId } = all.find((one) => one.displayName === 'zweites Kennwort');
    await az.command(`ad ${noun} credential delete`, '--id', '--key-id').deleteCredential(at, appId, keyId);
    assert.equal((await az.listCredentials(at, appId)).length, 1);
  });
  await t.test(`${noun} credential with certificates`, async () => {
    az.command(`ad ${noun} credential reset`, '--id', '--cert');
    await az.resetCredential(at, appId, { key, displayName: 'one' });
    await az.command(`ad ${noun} credential reset`, '--id', '--cert', '--append').resetCredential(at, appId, { key, append: true, displayName: 'two' });
    const all = await az.command(`ad ${noun} credential list`, '--id', '--cert').listCredentials(at, appId, true);
    assert.deepEqual(all.map((one) => one.displayName).sort(), ['one', 'two']);
    await az.command(`ad ${noun} credential delete`, '--id', '--key-id', '--cert').deleteCredential(at, appId, all[0].keyId, true);
    assert.deepEqual((await az.listCredentials(at, appId, true)).map((one) => one.keyId), [all[1].keyId]);
  });
}

test('az ad sp', async (t) => {
  const uri = `api://${info.tenantId}/az-sp`;
  let app, principal;
  await t.test('create', async () => {
    app = await az.command('ad app create', '--display-name', '--identifier-uris').createApp({ displayName: 'Principal by az', identifierUris: [uri] });
    principal = await az.command('ad sp create', '--id').createPrincipal(app.appId);
    assert.equal(principal.accountEnabled, true);
  });
  await t.test('show by each of its names, and list', async () => {
    az.command('ad sp show', '--id');
    for (const id of [principal.id, app.appId, uri]) assert.equal((await az.showPrincipal(id)).id, principal.id);
    await assert.rejects(az.showPrincipal(randomUUID()), missing(404));
    az.command('ad sp list', '--filter');
    for (const filter of [`servicePrincipalNames/any(c:c eq '${uri}')`, `startswith(displayName,'Principal by az')`, `displayName eq 'Principal by az'`]) {
      assert.deepEqual((await az.listPrincipals(filter)).map((one) => one.id), [principal.id], filter);
    }
    assert.ok((await az.command('ad sp list', '--all').listPrincipals()).length > 1);
  });
  await t.test('update', async () => {
    const updated = await az.command('ad sp update', '--id', '--set').updatePrincipal(app.appId, { appRoleAssignmentRequired: true, tags: ['WindowsAzureActiveDirectoryIntegratedApp'] });
    assert.equal(updated.appRoleAssignmentRequired, true);
    assert.deepEqual(updated.tags, ['WindowsAzureActiveDirectoryIntegratedApp']);
    assert.equal((await az.updatePrincipal(uri, { accountEnabled: true })).accountEnabled, true);
  });
  await t.test('owner list', async () => {
    assert.ok(Array.isArray(await az.command('ad sp owner list', '--id').listPrincipalOwners(app.appId)));
  });
  await credentials(t, 'sp', 'servicePrincipals', () => app);
  await t.test('delete', async () => {
    await az.command('ad sp delete', '--id').deletePrincipal(app.appId);
    await assert.rejects(az.showPrincipal(principal.id), missing(404));
    await az.command('ad app delete', '--id').deleteApp(app.appId);
  });
  await t.test('create-for-rbac', async () => {
    const { appId, password } = await az.command('ad sp create-for-rbac', '--name').createForRBAC('RBAC by az');
    assert.ok((await login(appId, password)).access_token);
    const again = await az.createForRBAC('RBAC by az').catch((error) => error); // it is patched, and has a service principal
    assert.ok(missing(409)(again) || missing(400)(again), String(again));
    await az.deleteApp(appId);
  });
});

test('az ad group', async (t) => {
  const { id } = await az.command('ad user show', '--id').showUser(info.userName);
  let group;
  await t.test('create, twice', async () => {
    az.command('ad group create', '--display-name', '--mail-nickname', '--description');
    group = await az.createGroup('Gruppe by az', 'gruppe-by-az', 'für Prüfungen');
    assert.equal(group.description, 'für Prüfungen');
    assert.equal((await az.createGroup('Gruppe by az', 'gruppe-by-az')).id, group.id);
  });
  await t.test('member add, check, list and remove', async () => {
    await az.command('ad group member add', '--group', '--member-id').addMember('Gruppe by az', id);
    await assert.rejects(az.addMember(group.id, id), missing(400));
    assert.equal(await az.command('ad group member check', '--group', '--member-id').checkMember('Gruppe by az', id), true);
    assert.deepEqual((await az.command('ad group member list', '--group').listMembers(group.id)).map((one) => one.id), [id]);
    assert.ok((await az.command('ad user get-member-groups', '--id').groupsOfUser(id)).some((one) => one.displayName === 'Gruppe by az'));
    await az.command('ad group member remove', '--group', '--member-id').removeMember(group.id, id);
    assert.equal(await az.checkMember(group.id, id), false);
    await assert.rejects(az.removeMember(group.id, id), missing(404));
  });
  await t.test('lists all members of a large group', async () => {
    const [large] = await az.send('GET', "/groups?$filter=displayName%20eq%20'Sales'");
    const members = await az.command('ad group member list', '--group').listMembers(large.id);
    assert.ok(members.every((one) => one['@odata.type'] === '#microsoft.graph.user') && members.length > 0);
  });
  await t.test('groups of the group', async () => {
    const outer = await az.createGroup('Outer by az', 'outer-by-az');
    await az.addMember(outer.id, group.id);
    assert.deepEqual(await az.command('ad group get-member-groups', '--group').groupsOfGroup('Gruppe by az'), [outer.id]);
    await az.deleteGroup(outer.id);
  });
  await t.test('owner add, list and remove', async () => {
    const other = (await az.listUsers("startswith(displayName,'Clara')")).find((one) => one.id !== id);
    az.command('ad group owner add', '--group', '--owner-object-id');
    for (const owner of [id, other.id, other.id]) await az.addGroupOwner(group.id, owner);
    await az.command('ad group owner remove', '--group', '--owner-object-id').removeGroupOwner(group.id, other.id);
    const owners = (await az.command('ad group owner list', '--group').listGroupOwners('Gruppe by az')).map((one) => one.id);
    assert.ok(owners.includes(id) && !owners.includes(other.id));
  });
  await t.test('show and delete', async () => {
    assert.equal((await az.command('ad group show', '--group').showGroup('Gruppe by az')).id, group.id);
    await az.command('ad group delete', '--group').deleteGroup('Gruppe by az');
    await assert.rejects(az.showGroup(group.id), missing(404));
  });
});

test('az ad user', async (t) => {
  const name = `müller#ext#@${info.domain}`.replace('ü', 'ue');
  let made;
  await t.test('create', async () => {
    made = await az.command('ad user create', '--display-name', '--password', '--user-principal-name').createUser(name, 'Jörg Müller', 'Tulip-5-tree!');
    assert.equal(made.displayName, 'Jörg Müller');
  });
  await t.test('show by its name and id, and list', async () => {
    az.command('ad user show', '--id');
    for (const id of [name, made.id]) assert.equal((await az.showUser(id)).id, made.id);
    az.command('ad user list', '--filter');
    for (const filter of [`userPrincipalName eq '${name}'`, "startswith(displayName,'Jörg')", `startswith(displayName,'Jörg') and userPrincipalName eq '${name}'`]) {
      assert.deepEqual((await az.listUsers(filter)).map((one) => one.id), [made.id], filter);
    }
  });
  await t.test('lists all pages', async () => {
    assert.equal(new Set((await az.command('ad user list').listUsers()).map((one) => one.id)).size > 100, true);
  });
  await t.test('update', async () => {
    az.command('ad user update', '--id', '--display-name', '--account-enabled');
    await az.updateUser(name, { accountEnabled: false, displayName: 'Jörg Maier', mailNickname: 'maier' });
    await az.updateUser(made.id, { passwordProfile: { password: 'Other-7-tree!', forceChangePasswordNextSignIn: true } });
    assert.equal((await az.showUser(name)).displayName, 'Jörg Maier');
    assert.deepEqual(await az.command('ad user get-member-groups', '--id').groupsOfUser(name), []);
  });
  await t.test('delete', async () => {
    await az.command('ad user delete', '--id').deleteUser(name);
    await assert.rejects(az.showUser(made.id), missing(404));
  });
});
