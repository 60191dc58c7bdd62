// The requests that the Azure CLI sends for `az ad`, as in its command module role (custom.py, _graph_client.py and _graph_objects.py) and in
// send_raw_request: the same paths, queries, headers and bodies, in the same order.
import { randomUUID } from 'node:crypto';
import { request } from 'node:https';
import { gunzipSync, inflateSync } from 'node:zlib';

// python writes a value as Python's json.dumps does.
function python(value) {
  const text = (plain) => JSON.stringify(plain).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  if (Array.isArray(value)) return `[${value.map(python).join(', ')}]`;
  if (value && typeof value === 'object') return `{${Object.entries(value).map(([name, inner]) => `${text(name)}: ${python(inner)}`).join(', ')}}`;
  return text(value);
}

// quote is urllib.parse.quote(text, safe='').
const quote = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const query = (filter) => (filter === undefined ? '' : `?$filter=${quote(filter)}`);
const isGUID = (text) => /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text);
const user = (id) => {
  const key = id.includes('@') ? id.replaceAll('#', '%23') : id;
  return key.startsWith('$') ? `/users('${key}')` : `/users/${key}`;
};
const time = (date) => date.toISOString().replace(/\.\d+Z$/, 'Z');
const inAYear = (date) => new Date(date.getTime() + 365 * 24 * 3600 * 1000);
const passwordBody = (displayName, start = new Date()) => ({ passwordCredential: { displayName, endDateTime: time(inAYear(start)), startDateTime: time(start) } });
const certificate = (key, displayName = null) => ({
  '@odata.type': '#microsoft.graph.keyCredential', displayName, endDateTime: time(inAYear(new Date())), key, keyId: randomUUID(),
  startDateTime: time(new Date()), type: 'AsymmetricX509Cert', usage: 'Verify',
});

// GraphError is an answer that is not a success.
export class GraphError extends Error {
  constructor(method, path, status, text) {
    super(`${method} ${path}: ${status} ${text}`);
    this.status = status;
  }
}

// AzureCLI is az, signed in with a token.
export class AzureCLI {
  constructor(graph, token) {
    this.root = graph;
    this.token = token;
  }

  // command says which command the next requests are for, and with which of its options: both are headers.
  command(name, ...parameters) {
    this.headers = { CommandName: name, ...(parameters.length ? { ParameterSetName: parameters.join(' ') } : {}) };
    return this;
  }

  exchange(method, url, body) {
    const headers = {
      'User-Agent': 'python/3.11.5 (Linux-5.15.0-x86_64-with-glibc2.35) AZURECLI/2.60.0 (DEB)', 'Accept-Encoding': 'gzip, deflate', Accept: '*/*', Connection: 'keep-alive',
      'x-ms-client-request-id': randomUUID(), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...this.headers,
      Authorization: `Bearer ${this.token}`, ...(method === 'GET' ? {} : { 'Content-Length': String(Buffer.byteLength(body ?? '')) }),
    };
    return new Promise((resolve, reject) => {
      // The path is sent as it is written: a URL would change some of it.
      const { hostname, port } = new URL(this.root);
      const sent = request({ hostname, port, method, path: url.slice(this.root.length), headers, agent: false }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, content: Buffer.concat(parts) }));
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  // send is GraphClient._send: it follows the links of pages, and returns the items of a list.
  async send(method, path, body) {
    const text = body && python(body);
    const list = [];
    let url = `${this.root}/v1.0${path}`, isList = false;
    for (;;) {
      const { status, headers, content } = await this.exchange(method, url, text);
      const unpack = { gzip: gunzipSync, deflate: inflateSync }[headers['content-encoding']];
      const answer = (unpack ? unpack(content) : content).toString();
      if (status >= 400) throw new GraphError(method, path, status, answer);
      if (!answer) return undefined;
      const object = JSON.parse(answer);
      if ('value' in object) {
        isList = true;
        list.push(...object.value);
      }
      if (!object['@odata.nextLink']) return isList ? list : object;
      url = object['@odata.nextLink'];
    }
  }

  // The objects that a command names.

  async application(id) {
    const [found] = await this.send('GET', `/applications${query(isGUID(id) ? `appId eq '${id}'` : `identifierUris/any(s:s eq '${id}')`)}`);
    return found ? found.id : id;
  }

  async principal(id) {
    const [found] = await this.send('GET', `/servicePrincipals${query(`servicePrincipalNames/any(c:c eq '${id}')`)}`);
    if (!found && !isGUID(id)) throw new Error(`Service principal '${id}' doesn't exist`);
    return found ? found.id : id;
  }

  async group(id) {
    if (isGUID(id)) return id;
    const found = await this.send('GET', `/groups${query(`startswith(displayName,'${id}')`)}`);
    if (found.length !== 1) throw new Error(`${found.length} groups are named '${id}'`);
    return found[0].id;
  }

  reference(id) { return { '@odata.id': `${this.root}/v1.0/directoryObjects/${id}` }; }

  // az ad app

  async createApp(properties) {
    const { displayName, identifierUris = [] } = properties;
    const found = (await this.send('GET', `/applications${query(`startswith(displayName,'${displayName}')`)}`))
      .filter((app) => app.displayName === displayName && identifierUris.every((uri) => app.identifierUris.includes(uri)));
    if (found.length > 1) throw new Error(`${found.length} applications are named '${displayName}'`);
    if (found.length === 0) return this.send('POST', '/applications', { keyCredentials: [], ...properties });
    await this.send('PATCH', `/applications/${await this.application(found[0].id)}`, properties);
    return this.send('GET', `/applications/${found[0].id}`);
  }

  async showApp(id) { return this.send('GET', `/applications/${await this.application(id)}`); }

  async updateApp(id, properties) {
    await this.showApp(id);
    await this.send('PATCH', `/applications/${await this.application(id)}`, properties);
    return this.showApp(id);
  }

  listApps(filter) { return this.send('GET', `/applications${query(filter)}`); }

  async deleteApp(id) { return this.send('DELETE', `/applications/${await this.application(id)}`); }

  async addPermission(id, resourceAppId, access, type) {
    const app = await this.showApp(id);
    const requiredResourceAccess = [...app.requiredResourceAccess, { resourceAppId, resourceAccess: [{ id: access, type }] }];
    await this.send('PATCH', `/applications/${app.id}`, { requiredResourceAccess });
  }

  async addAppOwner(id, owner) {
    const app = await this.application(id);
    const owners = await this.send('GET', `/applications/${app}/owners`);
    if (!owners.some((one) => one.id === owner)) await this.send('POST', `/applications/${app}/owners/$ref`, this.reference(owner));
  }

  async removeAppOwner(id, owner) { return this.send('DELETE', `/applications/${await this.application(id)}/owners/${owner}/$ref`); }

  // az ad app credential and az ad sp credential: at is the set of the object.

  async show(at, id) { return at === 'applications' ? this.showApp(id) : this.showPrincipal(id); }

  async resetCredential(at, id, { append, displayName = null, key } = {}) {
    const object = await this.show(at, id);
    for (const { keyId } of append ? [] : object.passwordCredentials) await this.send('POST', `/${at}/${object.id}/removePassword`, { keyId });
    if (!key) return (await this.send('POST', `/${at}/${object.id}/addPassword`, passwordBody(displayName))).secretText;
    const keyCredentials = [...(append ? object.keyCredentials : []), certificate(key, displayName)];
    await this.send('PATCH', `/${at}/${object.id}`, { keyCredentials });
    return undefined;
  }

  async listCredentials(at, id, cert) {
    const object = await this.show(at, id);
    return cert ? object.keyCredentials : object.passwordCredentials;
  }

  async deleteCredential(at, id, keyId, cert) {
    const object = await this.show(at, id);
    if (!cert) return this.send('POST', `/${at}/${object.id}/removePassword`, { keyId });
    return this.send('PATCH', `/${at}/${object.id}`, { keyCredentials: object.keyCredentials.filter((one) => one.keyId !== keyId) });
  }

  // az ad sp

  async createPrincipal(id) {
    const filter = isGUID(id) ? `appId eq '${id}'` : `identifierUris/any(s:s eq '${id}')`;
    const [found] = await this.send('GET', `/applications${query(filter)}`);
    const { appId } = found ?? await this.send('GET', `/applications/${id}`);
    return this.send('POST', '/servicePrincipals', { appId, accountEnabled: true });
  }

  async createForRBAC(displayName) {
    await this.send('GET', `/servicePrincipals${query(`displayName eq '${displayName}'`)}`);
    const app = await this.createApp({ displayName });
    for (const { keyId } of app.passwordCredentials) await this.send('POST', `/applications/${app.id}/removePassword`, { keyId });
    const { secretText } = await this.send('POST', `/applications/${app.id}/addPassword`, passwordBody('rbac'));
    await this.send('POST', '/servicePrincipals', { appId: app.appId, accountEnabled: true });
    return { appId: app.appId, password: secretText };
  }

  async showPrincipal(id) { return this.send('GET', `/servicePrincipals/${await this.principal(id)}`); }

  async updatePrincipal(id, properties) {
    await this.showPrincipal(id);
    await this.send('PATCH', `/servicePrincipals/${await this.principal(id)}`, properties);
    return this.showPrincipal(id);
  }

  listPrincipals(filter) { return this.send('GET', `/servicePrincipals${query(filter)}`); }

  async listPrincipalOwners(id) { return this.send('GET', `/servicePrincipals/${await this.principal(id)}/owners`); }

  async deletePrincipal(id) { return this.send('DELETE', `/servicePrincipals/${await this.principal(id)}`); }

  // az ad group

  async createGroup(displayName, mailNickname, description) {
    const [found] = await this.send('GET', `/groups${query(`displayName eq '${displayName}' and mailNickname eq '${mailNickname}'`)}`);
    return found ?? this.send('POST', '/groups', {
      displayName, mailNickname, ...(description && { description }), mailEnabled: false, securityEnabled: true,
    });
  }

  async showGroup(id) { return this.send('GET', `/groups/${await this.group(id)}`); }

  async deleteGroup(id) { return this.send('DELETE', `/groups/${await this.group(id)}`); }

  async addMember(id, member) { return this.send('POST', `/groups/${await this.group(id)}/members/$ref`, this.reference(member)); }

  async removeMember(id, member) { return this.send('DELETE', `/groups/${await this.group(id)}/members/${member}/$ref`); }

  async listMembers(id) { return this.send('GET', `/groups/${await this.group(id)}/members`); }

  async checkMember(id, member) {
    const group = await this.group(id);
    return (await this.send('POST', `/directoryObjects/${member}/checkMemberGroups`, { groupIds: [group] })).includes(group);
  }

  async groupsOfGroup(id) { return this.send('POST', `/groups/${await this.group(id)}/getMemberGroups`, { securityEnabledOnly: false }); }

  async addGroupOwner(id, owner) {
    const group = await this.group(id);
    const owners = await this.send('GET', `/groups/${group}/owners`);
    if (!owners.some((one) => one.id === owner)) await this.send('POST', `/groups/${group}/owners/$ref`, this.reference(owner));
  }

  async listGroupOwners(id) { return this.send('GET', `/groups/${await this.group(id)}/owners`); }

  async removeGroupOwner(id, owner) { return this.send('DELETE', `/groups/${await this.group(id)}/owners/${owner}/$ref`); }

  // az ad user

  createUser(userPrincipalName, displayName, password) {
    return this.send('POST', '/users', {
      userPrincipalName, displayName, passwordProfile: { password, forceChangePasswordNextSignIn: false }, mailNickname: userPrincipalName.split('@')[0], accountEnabled: true,
    });
  }

  showUser(id) { return this.send('GET', user(id)); }

  updateUser(id, properties) { return this.send('PATCH', user(id), properties); }

  listUsers(filter) { return this.send('GET', `/users${query(filter)}`); }

  async groupsOfUser(id) {
    const ids = await this.send('POST', `${user(id)}/getMemberGroups`, { securityEnabledOnly: false });
    return ids.length === 0 ? [] : this.send('POST', '/directoryObjects/getByIds', { ids, types: ['user', 'group', 'servicePrincipal', 'directoryObjectPartnerReference'] });
  }

  deleteUser(id) { return this.send('DELETE', user(id)); }
}
