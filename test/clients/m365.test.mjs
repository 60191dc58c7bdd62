// CLI for Microsoft 365, which knows the real service's names only: names.cjs has them lead to the server.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { info, run } from './world.mjs';

const cli = join(dirname(createRequire(import.meta.url).resolve('@pnp/cli-microsoft365/package.json')), 'dist', 'index.js');
const m365 = async (...args) => {
  const out = await run(process.execPath, [cli, ...args, '--output', 'json'], { NODE_OPTIONS: `--require ${join(import.meta.dirname, 'names.cjs')}`, CLIMICROSOFT365_NOUPDATE: '1' });
  return out.trim() ? JSON.parse(out) : undefined;
};

test('CLI for Microsoft 365', async (t) => {
  await t.test('logs in with a secret', async () => {
    const status = await m365('login', '--authType', 'secret', '--appId', info.clientId, '--tenant', info.tenantId, '--secret', info.clientSecret);
    assert.equal(status.connectedAs, 'Demo application');
  });
  await t.test('finds a user', async () => {
    const user = await m365('entra', 'user', 'get', '--userName', info.userName);
    assert.equal(user.displayName, 'Clara Jung');
  });
  await t.test('lists users by their properties', async () => {
    const users = await m365('entra', 'user', 'list', '--department', 'Sales', '--properties', 'id,displayName,department');
    assert.equal(users.length, 30);
  });
  await t.test('lists licenses', async () => {
    const licenses = await m365('entra', 'license', 'list');
    assert.ok(licenses.some((license) => license.skuPartNumber === 'ENTERPRISEPACK'));
  });
});
