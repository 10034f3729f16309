// Looks at the pages of development in a real browser, on a desk and on a phone, in
// light and in dark: the start page, the requests, one of them, and the mails. A
// request that is sent meanwhile has to appear by itself, where the filter takes it.
//
//   node dev.mjs BASE_URL FOLDER   (pictures go to FOLDER)
//
// Fails on what docs.mjs fails on, on a page that is wider than its screen, on a
// control without a name, and on text that is hard to tell from its ground.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { launch, listen, overflow } from './page.mjs';

const [base, folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node dev.mjs BASE_URL FOLDER');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

const screens = [
  ['desktop', { width: 1280, height: 900 }, 'light'],
  ['desktop-dark', { width: 1280, height: 900 }, 'dark'],
  ['phone', { width: 390, height: 844 }, 'light'],
];
const faults = [];
const browser = await launch();
try {
  for (const [name, viewport, colorScheme] of screens) {
    const page = await (await browser.newContext({ viewport, colorScheme })).newPage();
    page.setDefaultTimeout(20_000);
    // A stream ends with its page.
    await listen(page, base, (text) => faults.push(`${name}: ${text}`), (text) => /ERR_ABORTED/.test(text));
    await page.goto(base);
    await page.locator('.health .well').first().waitFor();
    await look(page, 'start', name);
    await requests(page, name);
    await page.goto(`${base}/dev/mail`);
    await look(page, 'mail', name);
    await page.context().close();
  }
} catch (error) {
  faults.push(error.message);
} finally {
  await browser.close();
}
for (const fault of faults) console.error(`pages of development: ${fault}`);
console.log(`The pages of development ${faults.length ? 'FAILED' : 'work'}: ${screens.length} screens.`);
process.exitCode = faults.length ? 1 : 0;

// requests watches the list while requests come in, and goes on to one of them.
async function requests(page, name) {
  await page.goto(`${base}/dev/requests?operation=getReadiness`);
  await page.locator('#live', { hasText: 'Live' }).waitFor();
  await fetch(`${base}/livez`); // another operation: not to be seen
  const id = (await fetch(`${base}/readyz`)).headers.get('X-Request-Id');
  await page.locator(`[id="r-${id}"]`).waitFor();
  const others = await page.locator('.requests .operation').allTextContents();
  if (others.some((operation) => operation !== 'getReadiness')) throw new Error(`the filter lets ${others} through`);

  await page.locator('#pause').click();
  const unseen = (await fetch(`${base}/readyz`)).headers.get('X-Request-Id');
  await page.locator('#pause').click(); // what came meanwhile is there again
  await page.locator(`[id="r-${unseen}"]`).waitFor();

  await page.locator('select[name=operation]').selectOption('');
  await page.locator('.filter button', { hasText: 'Filter' }).click();
  await page.waitForURL(/operation=&/);
  await page.locator('#live', { hasText: 'Live' }).waitFor();
  await look(page, 'requests', name);

  await page.goto(`${base}/dev/requests?operation=registerUser`); // which has jobs and mails
  const registered = page.locator('.requests a').first();
  await registered.waitFor();
  await registered.focus();
  await page.keyboard.press('Enter');
  await page.locator('.decisions li').first().waitFor();
  await look(page, 'request', name);
}

// look keeps a picture, and finds what can be measured.
async function look(page, what, name) {
  await page.screenshot({ path: join(folder, `${what}-${name}.png`), fullPage: true });
  const wider = await overflow(page);
  if (wider > 0) faults.push(`${name}: ${what} is ${wider} px wider than the screen`);
  for (const fault of await page.evaluate(measure)) faults.push(`${name}: ${what}: ${fault}`);
}

// measure runs in the page: names of controls (WCAG 4.1.2), and the contrast of text
// (WCAG 1.4.3).
function measure() {
  const found = [];
  for (const control of document.querySelectorAll('a, button, select, input')) {
    const named = control.textContent.trim() || control.getAttribute('aria-label') || control.labels?.length;
    if (!named) found.push(`a ${control.localName} without a name`);
  }
  const numbers = (color) => (color.match(/[\d.]+/g) || []).map(Number);
  const luminance = (color) => {
    const [r, g, b] = numbers(color).map((part) => {
      const c = part / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const color = getComputedStyle(e).backgroundColor;
      const parts = numbers(color);
      if (parts.length === 3 || parts[3] === 1) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    const [ink, paper] = [getComputedStyle(element).color, ground(element)];
    const [light, dark] = [luminance(ink), luminance(paper)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const pair = `${ink} on ${paper}`;
    if (ratio < 4.5 && !seen.has(pair)) found.push(`"${texts.currentNode.textContent.trim().slice(0, 30)}" is ${pair}: ${ratio.toFixed(1)}`);
    seen.add(pair);
  }
  return found;
}
