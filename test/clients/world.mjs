// What the tests share: the server that was started for them, calls of Graph, a person at the sign-in page, and programs that are run.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export const info = JSON.parse(readFileSync(process.env.LICENSOR_INFO));

// post sends a form and answers what comes back as JSON.
export async function post(url, form) {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  return response.json();
}

const { access_token: token } = await post(`${info.authority}/${info.tenantId}/oauth2/v2.0/token`, {
  grant_type: 'client_credentials', client_id: info.clientId, client_secret: info.clientSecret, scope: 'https://graph.microsoft.com/.default',
});

// graph calls Graph as the demo's application, which may do everything.
export async function graph(method, path, body) {
  const response = await fetch(`${info.graph}/v1.0${path}`, {
    method, body: body && JSON.stringify(body), headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text && JSON.parse(text);
}

// register makes an application with its service principal and, unless it is a public client, a secret.
export async function register(app) {
  const made = await graph('POST', '/applications', app);
  await graph('POST', '/servicePrincipals', { appId: made.appId });
  const { secretText } = app.publicClient ? {} : await graph('POST', `/applications/${made.id}/addPassword`, {});
  return { ...made, secretText };
}

const unescaped = (text) => text.replaceAll('&#34;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&').replaceAll('&#43;', '+');

// signIn goes through the pages as a person does, from the address that a client sends them to, and answers how the client is
// called back: {url} of a redirect, or {url, form} of what is posted.
export async function signIn(start, name = info.userName, password = info.userPassword) {
  const cookies = new Map();
  let url = new URL(start), form;
  for (let steps = 0; steps < 12; steps++) {
    const headers = { cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; '), origin: url.origin };
    const response = await fetch(url, { method: form ? 'POST' : 'GET', body: form, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [, key, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      cookies.set(key, value);
    }
    const next = response.headers.get('location');
    if (next) {
      form = undefined;
      url = new URL(next, url);
      if (url.origin !== new URL(start).origin) return { url };
      continue;
    }
    const page = await response.text();
    const target = /<form method="post" action="([^"]*)"/.exec(page);
    const hidden = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, key, value]) => [key, unescaped(value)]);
    if (target) return { url: new URL(unescaped(target[1])), form: Object.fromEntries(hidden) };
    form = new URLSearchParams(hidden);
    if (page.includes('value="signin"')) {
      for (const [key, value] of [['action', 'signin'], ['username', name], ['password', password]]) form.set(key, value);
    } else if (page.includes('value="accept"')) form.set('action', 'accept');
    else throw new Error(`not a page that is known here: ${response.status} ${page}`);
  }
  throw new Error('the sign-in does not end');
}

// run runs a program and answers what it prints; it throws when the program fails.
export function run(program, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...env } });
    let out = '', errors = '';
    child.stdout.on('data', (text) => { out += text; });
    child.stderr.on('data', (text) => { errors += text; });
    child.on('error', reject);
    child.on('exit', (code) => (code === 0 ? resolve(out) : reject(new Error(`${program} ${args.join(' ')} ended with ${code}: ${errors}${out}`))));
  });
}
