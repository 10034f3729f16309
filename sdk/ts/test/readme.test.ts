// The programs of the README, each run by itself.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { address, connect, offer, sdk, user } from './server.js'; // bare-drops
// bare-has: import { address, sdk } from './server.js';
import { createOrder } from '@accord-api/accord'; // bare-drops

const here = import.meta.dirname;
const programs = readdirSync(here).filter((name) => /^readme-\d+\.js$/.test(name)).sort();
// Each has an address of its own, so that the sign-ins are not too many for one.
const elsewhere = (): string => `data:text/javascript,
  const { fetch } = globalThis;
  globalThis.fetch = (request) => {
    request.headers.set('X-Forwarded-For', '${address()}');
    return fetch(request);
  };`;
const said = [/^Orders of .+:\n[0-9a-f-]{36} \d+\n/, /available|delivered/, /^.+ [A-Za-z0-9_-]+\n$/, /^package\.json application\/json.* \{[^]*\n[0-9a-f-]{36}\n/, /^\d+ .+\n/]; // bare-drops
// bare-has: const said = [/^Sessions of .+:\n[0-9a-f-]{36} .+\n/, /another account/i, /^\S+ [A-Za-z0-9_-]+\n\d+ ".+"\n$/];

test('the README has a program for each of its parts', async () => {
  assert.equal(programs.length, said.length);
  assert.ok(readFileSync(join(sdk, 'README.md'), 'utf8').includes('npm install @accord-api/accord'));
  // bare-drops {
  // One pending order, so that there is something to show.
  const client = connect(user);
  await createOrder({ client, body: { lines: [{ product_id: (await offer()).id, quantity: 1 }] } });
  // bare-drops }
});

for (const [index, name] of programs.entries()) {
  test(name, async () => {
    const program = spawn(process.execPath, ['--import', elsewhere(), join(here, name)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let [output, errors] = ['', ''];
    program.stdout.on('data', (text: Buffer) => (output += text.toString()));
    program.stderr.on('data', (text: Buffer) => (errors += text.toString()));
    const status = await new Promise((resolve) => program.on('close', resolve));
    assert.equal(status, 0, errors);
    assert.match(output, said[index] ?? /^$/);
  });
}
