// Uses the documentation page as a newcomer would, in a real browser: opens it,
// signs in through Authorize, and sends GET /api/v1/users/me, and GET
// /api/v1/products with what the page has filled in.
//
//   node docs.mjs BASE_URL USERNAME FOLDER   (password on stdin, pictures go to FOLDER)
//
// Fails on any console error, violation of the page's own content security
// policy, failed request, request to another host, or anything that the browser
// still knows of the sign-in when the page is gone.
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const [base, username, folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node docs.mjs BASE_URL USERNAME FOLDER <password');
  process.exit(2);
}
const password = readFileSync(0, 'utf8').trim();
mkdirSync(folder, { recursive: true });

const faults = [];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  // No sandbox, since CI is root in a container of its own; and nothing that
  // the browser would send by itself to servers of its maker.
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});
try {
  await visit('desktop', { width: 1280, height: 900 }, async (page) => {
    await signIn(page);
    await askWhoIAm(page);
    await askForProducts(page);
    await keepsNothing(page);
  });
  await visit('phone', { width: 390, height: 844 }, fitsTheScreen);
} catch (error) {
  faults.push(error.message);
} finally {
  await browser.close();
}

for (const fault of faults) console.error(`docs page: ${fault}`);
console.log(faults.length ? 'The documentation page FAILED.' : 'The documentation page works: signed in, GET /api/v1/users/me answered 200, and GET /api/v1/products shows some.');
process.exitCode = faults.length ? 1 : 0;

async function visit(name, viewport, steps) {
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(15_000);
  await listen(name, page);
  try {
    const answer = await page.goto(`${base}/api/docs/`);
    if (!answer.ok()) throw new Error(`the page answered ${answer.status()}`);
    await operation(page).waitFor();
    await page.screenshot({ path: join(folder, `docs-${name}.png`) });
    await steps(page);
  } finally {
    await page.screenshot({ path: join(folder, `docs-${name}-end.png`) });
    await page.close();
  }
}

// listen collects what a person would not see and a browser does complain about.
async function listen(name, page) {
  const fault = (text) => faults.push(`${name}: ${text}`);
  page.on('console', (message) => {
    if (message.type() === 'error') fault(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => fault(`uncaught: ${error.message}`));
  page.on('requestfailed', (request) => fault(`${request.url()}: ${request.failure()?.errorText}`));
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

async function signIn(page) {
  await page.locator('.auth-wrapper .btn.authorize').first().click();
  const dialog = page.locator('.dialog-ux .modal-ux');
  await dialog.locator('#oauth_username').first().fill(username);
  await dialog.locator('#oauth_password').first().fill(password);
  await dialog.locator('.auth-btn-wrapper .authorize').first().click();
  const signedIn = dialog.locator('.auth-btn-wrapper button', { hasText: 'Logout' });
  const refused = dialog.locator('.errors');
  await signedIn.or(refused).first().waitFor();
  if (await refused.count()) {
    throw new Error(`Authorize did not sign in: ${(await refused.allInnerTexts()).join(' ')}`);
  }
  await page.screenshot({ path: join(folder, 'docs-authorized.png') });
  await dialog.locator('.btn-done').first().click();
}

// keepsNothing looks where a page may leave things for the next script of this
// origin, and for whoever opens the browser next.
async function keepsNothing(page) {
  const kept = await page.evaluate(() => [...Object.keys(localStorage), ...Object.keys(sessionStorage), document.cookie].filter(Boolean));
  if (kept.length) throw new Error(`the page keeps what outlives it: ${kept.join(', ')}`);
}

async function askWhoIAm(page) {
  const body = await execute(page, '/api/v1/users/me');
  if (!body.includes(`"username": "${username}"`)) throw new Error(`${username} is not in the answer: ${body.slice(0, 300)}`);
}

// askForProducts sends the examples as they stand: they are of the demo data.
async function askForProducts(page) {
  const body = await execute(page, '/api/v1/products');
  if (!body.includes('"sku": "')) throw new Error(`the examples of GET /api/v1/products find nothing: ${body.slice(0, 300)}`);
}

// execute presses Try it out and Execute, and gives the body of the answer.
async function execute(page, path) {
  const block = operation(page, path);
  await block.locator('.opblock-summary-control').first().click();
  const tryItOut = block.locator('.try-out__btn');
  await tryItOut.waitFor();
  if (!(await tryItOut.evaluate((button) => button.classList.contains('cancel')))) await tryItOut.click();
  await block.locator('.btn.execute').click();

  const answer = block.locator('.live-responses-table');
  await answer.waitFor();
  await answer.scrollIntoViewIfNeeded();
  const status = (await answer.locator('.response-col_status').last().innerText()).trim();
  if (!status.startsWith('200')) throw new Error(`GET ${path} answered ${status}, asked for ${await block.locator('.request-url').innerText()}`);
  return answer.locator('.response-col_description').last().innerText();
}

async function fitsTheScreen(page) {
  await operation(page).locator('.opblock-summary-control').first().click();
  await operation(page).locator('.opblock-body').waitFor();
  const [content, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (content > screen) faults.push(`phone: the page is ${content - screen} px wider than the screen`);
}

function operation(page, path = '/api/v1/users/me') {
  return page.locator('.opblock-get').filter({
    has: page.locator(`.opblock-summary-path[data-path="${path}"]`),
  }).first();
}
