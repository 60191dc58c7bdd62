import assert from 'node:assert/strict';
import test from 'node:test';
import { PageIterator } from '@microsoft/microsoft-graph-client';
import { anything, group, info, licenses, member, person, products, secret, service } from './world.mjs';

const { e3, ems, f3 } = products;
const credential = secret(info.clientSecret);
const graph = service(credential);
const states = async (id) => (await graph.api(`/users/${id}`).select('licenseAssignmentStates').get()).licenseAssignmentStates;

test('log in with a client secret, and not with a wrong one', async () => {
  const token = await credential.getToken(anything);
  assert.equal(token.token.split('.').length, 3);
  await assert.rejects(secret('wrong').getToken(anything), /AADSTS7000215/);
});

test('list, page by page', async () => {
  const seen = new Set();
  const iterator = new PageIterator(graph, await graph.api('/users').select('id,displayName').top(30).get(), (user) => {
    assert.ok(!seen.has(user.id), 'a user stands there twice');
    seen.add(user.id);
    return true;
  });
  await iterator.iterate();
  assert.ok(seen.size >= 200, `${seen.size} users`);
});

test('filter', async () => {
  const found = await graph.api('/users').filter("startsWith(displayName,'Ann') and usageLocation eq 'DE'").select('displayName').get();
  assert.ok(found.value.length > 0 && found.value.every((user) => user.displayName.startsWith('Ann')));
  await assert.rejects(graph.api('/users').filter('displayName gt').get(), { statusCode: 400 });
});

test('create, read, change, delete, restore', async () => {
  const user = await graph.api('/users').post(person());
  await graph.api(`/users/${user.id}`).patch({ department: 'Sales' });
  assert.equal((await graph.api(`/users/${user.userPrincipalName}`).select('department').get()).department, 'Sales');
  await graph.api(`/users/${user.id}`).delete();
  await assert.rejects(graph.api(`/users/${user.id}`).get(), { statusCode: 404, code: 'Request_ResourceNotFound' });
  await graph.api(`/directory/deletedItems/${user.id}/restore`).post({});
  assert.equal((await graph.api(`/users/${user.id}`).get()).id, user.id);
});

test('assign a license, and fail for want of seats', async () => {
  const user = await graph.api('/users').post(person());
  const licensed = await graph.api(`/users/${user.id}/assignLicense`).post(licenses([ems]));
  assert.deepEqual(licensed.assignedLicenses, [{ skuId: ems, disabledPlans: [] }]);
  await assert.rejects(graph.api(`/users/${user.id}/assignLicense`).post(licenses([e3])),
    { statusCode: 400, code: 'Request_BadRequest', message: `Subscription with SKU ${e3} does not have any available licenses.` });
  const details = await graph.api(`/users/${user.id}/licenseDetails`).get();
  assert.deepEqual(details.value.map((d) => d.skuPartNumber), ['EMS']);
});

test('a group license fails for want of a seat; a seat is freed; reprocessing puts it right', async () => {
  const team = await graph.api('/groups').post(group('sdk-team'));
  const people = [];
  for (let i = 0; i < 7; i++) people.push(await graph.api('/users').post(person()));
  await graph.api(`/groups/${team.id}/assignLicense`).post(licenses([f3]));
  for (const one of people) await graph.api(`/groups/${team.id}/members/$ref`).post(member(one.id));
  const last = people.at(-1).id;
  assert.deepEqual((await states(last)).map((s) => [s.state, s.error]), [['Error', 'CountViolation']]);
  const failing = await graph.api(`/groups/${team.id}/membersWithLicenseErrors`).select('id').get();
  assert.ok(failing.value.some((user) => user.id === last));

  const first = people[0].id;
  await graph.api(`/groups/${team.id}/members/${first}/$ref`).delete();
  await graph.api(`/groups/${team.id}/members/${people[5].id}/$ref`).delete();
  assert.equal((await states(last))[0].state, 'Error');
  for (const version of ['v1.0', 'beta']) {
    const user = await graph.api(`/users/${last}/reprocessLicenseAssignment`).version(version).post({});
    assert.deepEqual(user.licenseAssignmentStates.map((s) => [s.state, s.error]), [['Active', 'None']]);
    assert.deepEqual(user.assignedLicenses.map((l) => l.skuId), [f3]);
  }
});

test('batch', async () => {
  const answer = await graph.api('/$batch').post({ requests: [
    { id: '1', method: 'POST', url: '/users', headers: { 'Content-Type': 'application/json' }, body: person() },
    { id: '2', method: 'GET', url: '/users?$top=1', dependsOn: ['1'] },
    { id: '3', method: 'GET', url: '/users/nobody@contoso.example' },
    { id: '4', method: 'GET', url: '/users?$top=1', dependsOn: ['3'] },
  ] });
  const status = Object.fromEntries(answer.responses.map((r) => [r.id, r.status]));
  assert.deepEqual(status, { 1: 201, 2: 200, 3: 404, 4: 424 });
});

test('delta', async () => {
  let page = await graph.api('/users/delta').query({ $deltatoken: 'latest' }).get();
  const user = await graph.api('/users').post(person());
  page = await graph.api(page['@odata.deltaLink']).get();
  assert.deepEqual(page.value.map((u) => u.id), [user.id]);
  await graph.api(`/users/${user.id}`).delete();
  page = await graph.api(page['@odata.deltaLink']).get();
  assert.deepEqual(page.value.map((u) => [u.id, u['@removed'].reason]), [[user.id, 'changed']]);
  assert.equal((await graph.api(page['@odata.deltaLink']).get()).value.length, 0);
});

test('a dynamic group gives a license, and the audit log says so', async () => {
  const rule = { groupTypes: ['DynamicMembership'], membershipRule: 'user.department -eq "Rockets"', membershipRuleProcessingState: 'On' };
  const team = await graph.api('/groups').post({ ...group('sdk-dynamic'), ...rule });
  assert.equal(team.membershipRule, rule.membershipRule);
  await graph.api(`/groups/${team.id}/assignLicense`).post(licenses([ems]));
  const user = await graph.api('/users').post(person());
  await graph.api(`/users/${user.id}`).patch({ department: 'Rockets' });
  assert.deepEqual((await graph.api(`/groups/${team.id}/members`).get()).value.map((m) => m.id), [user.id]);
  assert.deepEqual((await states(user.id)).map((s) => [s.state, s.assignedByGroup]), [['Active', team.id]]);
  await assert.rejects(graph.api(`/groups/${team.id}/members/$ref`).post(member(user.id)), { statusCode: 403 });

  const about = `targetResources/any(t:t/id eq '${user.id}')`;
  for (const version of ['v1.0', 'beta']) {
    const page = await graph.api('/auditLogs/directoryAudits').version(version).filter(about).get();
    const names = page.value.map((e) => e.activityDisplayName);
    for (const name of ['Add user', 'Update user', 'Add member to group', 'Change user license']) assert.ok(names.includes(name), `${name} is not among ${names}`);
    assert.equal(page.value[0].initiatedBy.app.appId, info.clientId);
  }
});
