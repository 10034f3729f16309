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
import { launch, listen, overflow, signIn } from './page.mjs';

const [base, username, folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node docs.mjs BASE_URL USERNAME FOLDER <password');
  process.exit(2);
}
const password = readFileSync(0, 'utf8').trim();
mkdirSync(folder, { recursive: true });

const faults = [];
const browser = await launch();
try {
  await visit('desktop', { width: 1280, height: 900 }, async (page) => {
    await signIn(page, username, password, join(folder, 'docs-authorized.png'));
    await askWhoIAm(page);
    await askForProducts(page); // bare-drops
    await keepsNothing(page);
  });
  await visit('phone', { width: 390, height: 844 }, fitsTheScreen);
} catch (error) {
  faults.push(error.message);
} finally {
  await browser.close();
}

for (const fault of faults) console.error(`docs page: ${fault}`);
console.log(faults.length ? 'The documentation page FAILED.' : 'The documentation page works: signed in, GET /api/v1/users/me answered 200, and GET /api/v1/products shows some.'); // bare-drops
// bare-has: console.log(faults.length ? 'The documentation page FAILED.' : 'The documentation page works: signed in, and GET /api/v1/users/me answered 200.');
process.exitCode = faults.length ? 1 : 0;

async function visit(name, viewport, steps) {
  const page = await browser.newPage({ viewport });
  page.setDefaultTimeout(15_000);
  await listen(page, base, (text) => faults.push(`${name}: ${text}`));
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

// bare-drops {
// askForProducts sends the examples as they stand: they are of the demo data.
async function askForProducts(page) {
  const body = await execute(page, '/api/v1/products');
  if (!body.includes('"sku": "')) throw new Error(`the examples of GET /api/v1/products find nothing: ${body.slice(0, 300)}`);
}
// bare-drops }

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
  const wider = await overflow(page);
  if (wider > 0) faults.push(`phone: the page is ${wider} px wider than the screen`);
}

function operation(page, path = '/api/v1/users/me') {
  return page.locator('.opblock-get').filter({
    has: page.locator(`.opblock-summary-path[data-path="${path}"]`),
  }).first();
}
