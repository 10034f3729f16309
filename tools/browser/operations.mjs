// Presses Try it out and Execute on each operation of the documentation page, with
// what the page has filled in, and wants the success that the document declares.
//
//   node operations.mjs BASE_URL [OPERATION ...]   ("username password" of the demo accounts on stdin)
//
// What writes and has no place in that order yet is pressed as who may: what deletes in
// the end. Of a resource with such operations the demo data may have no example: its
// documented 404 is told, and no failure.
//
// With names of operations it tries only those, in its order. It takes some minutes on
// two idle cores, nearly all of it Swagger UI's own, which reads the document anew for
// each operation that is opened.
//
// It ends with deleting what the examples name, so give it a server of its own that
// was filled a moment ago.
import { readFileSync } from 'node:fs';
import { launch, listen, signIn } from './page.mjs';

const [base, ...only] = process.argv.slice(2);
if (!base) {
  console.error('usage: node operations.mjs BASE_URL [OPERATION ...] <accounts');
  process.exit(2);
}
const passwords = Object.fromEntries(readFileSync(0, 'utf8').trim().split('\n').map((line) => line.split(' ')));

// Operations whose example cannot succeed, with the documented answer and the reason.
const refused = {
  refreshToken: [400, 'a refresh token works once, so that no example can hold one'],
  resetPassword: [400, 'the token of a mail works once, so that no example can hold one'],
  verifyEmail: [400, 'the token of a mail works once, so that no example can hold one'],
  cancelReport: [409, 'the report of the demo data is made, and one that is asked for is within a moment'], // bare-drops
};

// again stands for signing in anew.
const again = Symbol('sign in');

// What is done as whom, in an order in which nothing takes away what comes later: one
// phase after the other, in each of them side by side. All that reads is in the first
// one, as an administrator where it needs one. What is public does not ask.
const phases = [
  { user: ['registerUser', 'login', 'refreshToken', 'forgotPassword', 'resendVerification', 'resetPassword', 'verifyEmail'], admin: [] },
  {
    user: ['updateMe', 'createOrder', 'generateReport', 'uploadFile', 'readNotification', 'readAllNotifications'], // bare-drops
    // bare-has: user: ['updateMe'],
    admin: ['adminUpdateUser', 'adminSetOrderStatus', 'createProduct', 'updateProduct'], // bare-drops
    // bare-has: admin: ['adminUpdateUser'],
  },
  { user: ['cancelOrder', 'cancelReport', 'deleteFile', 'revokeSession', 'logoutAll'], admin: ['retireProduct', 'logout'] }, // bare-drops
  // bare-has: { user: ['revokeSession', 'logoutAll'], admin: ['logout'] },
  { ada: ['deleteMe', 'registerUser', again, 'changePassword'] }, // her password is the examples'
];

const contract = await (await fetch(`${base}/api/openapi.json`)).json();
const operations = {};
for (const [path, item] of Object.entries(contract.paths)) {
  for (const [method, operation] of Object.entries(item)) {
    if (operation.operationId) operations[operation.operationId] = { ...operation, path, method };
  }
}
const written = new Set(phases.flatMap((phase) => Object.values(phase).flat()));
const forAdmins = (id) => (operations[id].security || []).some((one) => Object.values(one).flat().includes('admin'));
const added = new Set(); // tags of resources that are not in the phases above
for (const id of Object.keys(operations).filter((each) => !written.has(each))) {
  const { method, tags } = operations[id];
  if (method !== 'get') added.add(tags[0]);
  phases[{ get: 0, delete: 2 }[method] ?? 1][forAdmins(id) ? 'admin' : 'user'].push(id);
}

const faults = [];
const done = {};
const unknown = []; // what the demo data has no example of
const began = Date.now();
const browser = await launch();
try {
  const pages = {};
  for (const phase of phases) {
    await Promise.all(Object.entries(phase).map(async ([who, ids]) => {
      const chosen = ids.filter((id) => id === again || !only.length || only.includes(id));
      if (chosen.every((id) => id === again)) return;
      pages[who] ||= await open(who);
      for (const id of chosen) {
        if (id === again) await signIn(pages[who], who, passwordOf(who));
        else await execute(pages[who], id).catch((error) => faults.push(`${id}: ${error.message.split('\n')[0]}`));
      }
    }));
  }
} catch (error) {
  faults.push(error.message);
} finally {
  await browser.close();
}
for (const id of only.length ? only : Object.keys(operations)) {
  if (!done[id]) faults.push(`${id} was not tried`);
}
for (const fault of faults) console.error(`docs page: ${fault}`);
const refusals = Object.entries(refused).filter(([id]) => done[id]);
for (const [id, [status, why]] of refusals) console.log(`${id} answered ${status}: ${why}`);
if (unknown.length) console.log(`${unknown.join(', ')} answered 404: the demo data has nothing that their examples name`);
const tried = Object.keys(done).length;
console.log(`Try it out ${faults.length ? 'FAILED' : 'works'}: ${tried} operations, ${tried - refusals.length - unknown.length} of them with the declared success, in ${((Date.now() - began) / 1000).toFixed(0)} s.`);
process.exitCode = faults.length ? 1 : 0;

// passwordOf a demo account is given, and that of others in the example that registers
// them.
function passwordOf(who) {
  return passwords[who] || operations.registerUser.requestBody.content['application/json'].example.password;
}

// open gives the page with everything collapsed but what is tried, which Swagger UI
// draws anew with each change of anything.
async function open(who) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, acceptDownloads: false })).newPage();
  page.setDefaultTimeout(20_000);
  // A refusal that is wanted is in the console as well, and so is a stream that was ended.
  await listen(page, base, (text) => faults.push(`as ${who}: ${text}`), (text) => /status of 4\d\d|ERR_ABORTED/.test(text));
  await page.goto(`${base}/api/docs/`);
  await page.locator('.opblock').first().waitFor();
  await signIn(page, who, passwordOf(who));
  await page.evaluate(() => document.querySelectorAll('.opblock-tag[data-is-open=true]').forEach((tag) => tag.click()));
  return page;
}

// execute opens an operation, presses the buttons and holds the answer against the
// document: that of the network, and that which the page shows.
async function execute(page, id) {
  const { path, method, tags, responses, requestBody } = operations[id];
  const [success] = Object.keys(responses).filter((status) => status.startsWith('2'));
  const want = refused[id] ? refused[id][0] : Number(success);
  if (!responses[want]) throw new Error(`the document does not declare the ${want}`);
  const tag = page.locator(`.opblock-tag[data-tag="${tags[0]}"]`);
  await press(tag);
  const block = page.locator(`.opblock-${method}`).filter({ has: page.locator(`.opblock-summary-path[data-path="${path}"]`) }).first();
  try {
    await press(block.locator('.opblock-summary-control').first());
    const tryItOut = block.locator('.try-out__btn:not(.reset)');
    await tryItOut.waitFor();
    if (!(await tryItOut.evaluate((button) => button.classList.contains('cancel')))) await press(tryItOut);
    if (requestBody?.content?.['multipart/form-data']) {
      const { file } = requestBody.content['multipart/form-data'].example;
      await block.locator('input[type=file]').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from(file) });
    }
    const template = new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]*\}/g, '[^/]+')}$`);
    const answered = page.waitForResponse((answer) => answer.request().method().toLowerCase() === method && template.test(new URL(answer.url()).pathname));
    await press(block.locator('.btn.execute'));
    const answer = await answered;
    const isUnknown = answer.status() === 404 && responses[404] && added.has(tags[0]) && path.includes('{');
    if (isUnknown) unknown.push(id);
    else if (answer.status() !== want) throw new Error(`it answered ${answer.status()}, want ${want}: ${(await answer.text().catch(() => '')).slice(0, 300)}`);
    if (!responses[success].content?.['text/event-stream']) { // which has no end for the page to show
      const shown = block.locator('.live-responses-table .response-col_status').last();
      await shown.waitFor({ state: 'attached' });
      const status = (await shown.textContent()).trim();
      if (!status.startsWith(String(answer.status()))) throw new Error(`the page shows ${status}, and it answered ${answer.status()}`);
    }
    done[id] = true;
  } finally {
    await press(tag);
  }
}

// press clicks where nothing is to be scrolled to or waited for to stand still, which
// takes most of the time of a page as long as this one.
async function press(what) {
  await what.waitFor({ state: 'attached' });
  await what.evaluate((element) => element.click());
}
