// az, when it is installed, besides its requests in azure-cli.test.mjs: the Azure CLI finds the cloud by ARM_CLOUD_METADATA_URL. Versions before 2.49 ask login.microsoftonline.com
// whether they may trust an authority, so that name must lead to the server, too: names/sitecustomize.py sees to it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { graph, info, register, run } from './world.mjs';

const missing = spawnSync('az', ['--version']).error && 'az is not installed (apt-get install azure-cli)';

const env = {
  AZURE_CONFIG_DIR: mkdtempSync(join(homedir(), 'az-')), AZURE_CORE_COLLECT_TELEMETRY: 'false', AZURE_CORE_INSTANCE_DISCOVERY: 'false',
  REQUESTS_CA_BUNDLE: info.ca, SSL_CERT_FILE: info.ca, ARM_CLOUD_METADATA_URL: `${info.graph}/metadata/endpoints?api-version=2019-05-01`,
  PYTHONPATH: join(import.meta.dirname, 'names'),
};
const az = async (...args) => {
  const out = await run('az', [...args, '--output', 'json', '--only-show-errors'], env);
  return out.trim() ? JSON.parse(out) : undefined;
};

test('az', { skip: missing }, async (t) => {
  await az('cloud', 'set', '--name', 'Licensor');
  await t.test('logs in as an application', async () => {
    const accounts = await az('login', '--service-principal', '-u', info.clientId, '-p', info.clientSecret, '--tenant', info.tenantId, '--allow-no-subscriptions');
    assert.equal(accounts[0].tenantId, info.tenantId);
  });
  await t.test('shows and lists users', async () => {
    assert.equal((await az('ad', 'user', 'show', '--id', info.userName)).displayName, 'Clara Jung');
    assert.equal((await az('ad', 'user', 'list', '--filter', "startswith(displayName,'Clara')")).length, 10);
  });
  await t.test('manages groups and their members', async () => {
    const group = await az('ad', 'group', 'create', '--display-name', 'Made by az', '--mail-nickname', 'made-by-az');
    const { id } = await graph('GET', `/users/${info.userName}?$select=id`);
    await az('ad', 'group', 'member', 'add', '--group', group.id, '--member-id', id);
    assert.deepEqual(await az('ad', 'group', 'member', 'check', '--group', 'Made by az', '--member-id', id), { value: true });
    assert.deepEqual((await az('ad', 'group', 'member', 'list', '--group', group.id)).map((member) => member.id), [id]);
    await az('ad', 'group', 'member', 'remove', '--group', group.id, '--member-id', id);
    await az('ad', 'group', 'delete', '--group', group.id);
  });
  await t.test('manages users', async () => {
    const name = `az@${info.domain}`;
    await az('ad', 'user', 'create', '--display-name', 'User by az', '--password', 'Tulip-5-tree!', '--user-principal-name', name);
    await az('ad', 'user', 'update', '--id', name, '--display-name', 'Renamed by az', '--account-enabled', 'false');
    assert.equal((await az('ad', 'user', 'show', '--id', name)).displayName, 'Renamed by az');
    assert.deepEqual(await az('ad', 'user', 'get-member-groups', '--id', name), []);
    await az('ad', 'user', 'delete', '--id', name);
  });
  await t.test('manages applications and their credentials', async () => {
    const { id, appId } = await az('ad', 'app', 'create', '--display-name', 'App by az', '--web-redirect-uris', 'https://app.example');
    await az('ad', 'app', 'update', '--id', appId, '--display-name', 'App of az');
    assert.equal((await az('ad', 'app', 'show', '--id', appId)).displayName, 'App of az');
    for (const cert of [[], ['--create-cert', '--append']]) assert.equal((await az('ad', 'app', 'credential', 'reset', '--id', id, ...cert)).appId, appId);
    const [{ keyId }] = await az('ad', 'app', 'credential', 'list', '--id', appId);
    assert.equal((await az('ad', 'app', 'credential', 'list', '--id', appId, '--cert')).length, 1);
    await az('ad', 'app', 'credential', 'delete', '--id', appId, '--key-id', keyId);
    await az('ad', 'app', 'delete', '--id', id);
  });
  await t.test('finds service principals by the client id, and manages them', async () => {
    const app = await register({ displayName: 'Found by az' });
    assert.equal((await az('ad', 'sp', 'show', '--id', app.appId)).appId, app.appId);
    await az('ad', 'sp', 'update', '--id', app.appId, '--set', 'appRoleAssignmentRequired=true');
    assert.equal((await az('ad', 'sp', 'show', '--id', app.appId)).appRoleAssignmentRequired, true);
    assert.equal((await az('ad', 'sp', 'credential', 'reset', '--id', app.appId)).appId, app.appId);
    const [{ keyId }] = await az('ad', 'sp', 'credential', 'list', '--id', app.appId);
    await az('ad', 'sp', 'credential', 'delete', '--id', app.appId, '--key-id', keyId);
    await az('ad', 'sp', 'delete', '--id', app.appId);
  });
  await t.test('calls Graph with az rest', async () => {
    const skus = await az('rest', '--url', `${info.graph}/v1.0/subscribedSkus`, '--resource', info.graph);
    assert.ok(skus.value.length > 10);
  });
});
