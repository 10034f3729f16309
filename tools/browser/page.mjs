// What the browser tests of pages share: a browser that talks to nobody but the
// server, a page whose every complaint is a fault, and the sign-in of Swagger UI.
import { chromium } from 'playwright-core';

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    // No sandbox, since CI is root in a container of its own; and nothing that
    // the browser would send by itself to servers of its maker.
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  });
}

// listen collects what a person would not see and a browser does complain about;
// expected says which console messages are no fault.
export async function listen(page, base, fault, expected = () => false) {
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected(message.text())) fault(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => fault(`uncaught: ${error.message}`));
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    if (!expected(why)) fault(`${request.url()}: ${why}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && url.origin !== new URL(base).origin) fault(`it asked another host: ${url.origin}`);
  });
  await page.exposeFunction('reportViolation', (text) => fault(`content security policy: ${text}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      globalThis.reportViolation(`${event.violatedDirective} blocks ${event.blockedURI}`);
    });
  });
}

// signIn goes through Authorize, where somebody may be signed in; picture is where to keep what that shows, if anywhere.
export async function signIn(page, username, password, picture) {
  await page.locator('.auth-wrapper .btn.authorize').first().click();
  const dialog = page.locator('.dialog-ux .modal-ux');
  const out = dialog.locator('.auth-btn-wrapper button', { hasText: 'Logout' });
  if (await out.count()) await out.first().click();
  await dialog.locator('#oauth_username').first().fill(username);
  await dialog.locator('#oauth_password').first().fill(password);
  await dialog.locator('.auth-btn-wrapper .authorize').first().click();
  const refused = dialog.locator('.errors');
  await out.or(refused).first().waitFor();
  if (await refused.count()) {
    throw new Error(`Authorize did not sign ${username} in: ${(await refused.allInnerTexts()).join(' ')}`);
  }
  if (picture) await page.screenshot({ path: picture });
  await dialog.locator('.btn-done').first().click();
}

// overflow is by how many pixels a page is wider than its screen.
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}
