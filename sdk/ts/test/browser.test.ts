// The package in a real browser, on a page of another origin than the server's.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { chromium } from 'playwright-core';
import { admin, baseUrl } from './server.js';

const here = import.meta.dirname;
const accord = join(here, '../node_modules/@accord-api/accord/dist/');

const html = `<!doctype html>
<link rel="icon" href="data:,">
<script type="importmap">{"imports": {"@accord-api/accord": "/accord/index.js"}}</script>
<title>A page</title>`;

const pages = createServer((request, response) => {
  const path = request.url ?? '/';
  if (path === '/') return response.setHeader('Content-Type', 'text/html').end(html);
  readFile(path.startsWith('/accord/') ? join(accord, path.slice('/accord/'.length)) : join(here, path)).then(
    (content) => response.setHeader('Content-Type', 'text/javascript').end(content),
    () => response.writeHead(404).end(),
  );
  return undefined;
});

test('a page of another origin signs in, lists, streams, uploads and downloads', async (t) => { // bare-drops
// bare-has: test('a page of another origin signs in and lists', async (t) => {
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
  t.after(() => pages.close());
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // No sandbox, since CI is root in a container of its own; and nothing that the
    // browser would send by itself to servers of its maker.
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  t.after(() => browser.close());
  const page = await browser.newPage();
  const faults: string[] = [];
  const agents = new Set<string | undefined>();
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => request.url().startsWith(baseUrl) && agents.add(request.headers()['user-agent']));
  await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
  const result = await page.evaluate(
    async ([url, credentials]) => {
      const module = '/page.js';
      const { run } = (await import(module)) as { run: (baseUrl: string, who: unknown) => Promise<Record<string, unknown>> };
      return run(url, credentials);
    },
    [baseUrl, admin] as const,
  );
  assert.deepEqual(faults, []);
  assert.equal(result.username, admin.username);
  assert.match(String(result.etag), /^"/);
  assert.equal(result.products, 60); // bare-drops
  // bare-has: assert.equal(result.sessions, 1);
  assert.equal(typeof result.notification, 'number'); // bare-drops
  assert.deepEqual(result.text, ['a.txt: from a file', 'b.txt: from a stream']); // bare-drops
  assert.ok([...agents].every((agent) => agent?.startsWith('Mozilla/')), [...agents].join());
});
