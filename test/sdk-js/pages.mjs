// A person at a real browser, going through the authority's pages, each of which must be accessible.
import assert from 'node:assert/strict';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

const executablePath = process.env.CHROMIUM || '/usr/bin/chromium';

export const launch = () => chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

// visitor is a person with cookies of their own. What the browser complains about is kept: a page must give it no cause to.
export async function visitor(browser, options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options }); // the certificate was made for these tests
  const page = await context.newPage();
  const complaints = [];
  const refusal = /^Failed to load resource: /; // it says so of every answer but 200, and of applications that have gone
  page.on('console', (message) => message.type() === 'error' && !refusal.test(message.text()) && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  return { context, page, complaints };
}

// accessible checks a page: its heading says what it is for, axe-core finds nothing serious or critical in light and dark colours, and
// it fits on a narrow screen (WCAG 1.4.10).
export async function accessible(page, heading) {
  assert.equal((await page.getByRole('heading', { level: 1 }).innerText()).trim(), heading);
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 320, `the page "${heading}" is wider than 320 pixels`);
  await page.setViewportSize(size);
  await page.evaluate(axe.source);
  for (const colorScheme of ['dark', 'light']) {
    await page.emulateMedia({ colorScheme });
    const { violations } = await page.evaluate(() => window.axe.run(document));
    const grave = violations.filter((v) => ['serious', 'critical'].includes(v.impact));
    assert.deepEqual(grave.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(' ')}`), [], `the page "${heading}" is not accessible in ${colorScheme} colours`);
  }
}

// password is that of everybody in the tests.
export const password = 'Correct-horse-7';

// signIn fills in the sign-in page.
export async function signIn(page, user, secret = password) {
  await page.getByLabel('User name').fill(user.userPrincipalName);
  await page.getByLabel('Password').fill(secret);
  await page.getByRole('button', { name: 'Sign in' }).click();
}
