// What the tests share: the server that was started for them, clients of it, and bodies of requests.
import { readFileSync } from 'node:fs';
import { ClientSecretCredential } from '@azure/identity';
import { Client } from '@microsoft/microsoft-graph-client';
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js';

export const info = JSON.parse(readFileSync(process.env.LICENSOR_INFO));
export const authority = { authorityHost: info.authority, disableInstanceDiscovery: true };
export const anything = 'https://graph.microsoft.com/.default';
export const graphAppId = '00000003-0000-0000-c000-000000000000';
export const products = {
  e3: '6fd2c87f-b296-42f0-b197-1e91e994b900',
  f3: '4b585984-651b-448a-9e53-3b10f069cf7f',
  ems: 'efccb6f7-5641-4e0e-bd10-b4976e1bf68e',
};

// secret is the credential of the demo's application, which may do everything.
export const secret = (value) => new ClientSecretCredential(info.tenantId, info.clientId, value, authority);

// client calls Graph with tokens of an authentication provider; service with those of a credential of @azure/identity.
export const client = (authProvider) => Client.initWithMiddleware({ baseUrl: info.graph, customHosts: new Set([new URL(info.graph).hostname]), authProvider });
export const service = (credential) => client(new TokenCredentialAuthenticationProvider(credential, { scopes: [anything] }));

let made = 0;
export const person = (more = {}) => {
  const name = `sdk.user${++made}.${process.pid}`;
  return {
    accountEnabled: true, displayName: name, mailNickname: name, userPrincipalName: `${name}@contoso.example`, usageLocation: 'DE',
    passwordProfile: { password: 'Long-enough-1', forceChangePasswordNextSignIn: true }, ...more,
  };
};
export const group = (name) => ({ displayName: name, mailEnabled: false, mailNickname: name, securityEnabled: true });
export const licenses = (add, remove = []) => ({ addLicenses: add.map((skuId) => ({ skuId, disabledPlans: [] })), removeLicenses: remove });
export const member = (id) => ({ '@odata.id': `${info.graph}/v1.0/directoryObjects/${id}` });

export const admin = service(secret(info.clientSecret));

// register makes an application and its service principal, as an administrator's script does.
export async function register(app) {
  const made = await admin.api('/applications').post(app);
  const principal = await admin.api('/servicePrincipals').post({ appId: made.appId });
  return { ...made, principal };
}
