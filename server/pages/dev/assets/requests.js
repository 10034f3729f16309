// Keeps a page about requests as it is on the server: the list has each request as it
// comes, and the page of one is asked for anew when something about it has changed.
const main = document.querySelector('main');
const list = () => document.querySelector('.requests');
const live = document.getElementById('live');
const pause = document.getElementById('pause');
const kept = 200;
let paused = false;

// refresh puts the part of the page that changes in the place of the old one.
async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  const [fresh, old] = [page.querySelector('[data-part]'), document.querySelector('[data-part]')];
  if (fresh && fresh.innerHTML !== old.innerHTML) old.replaceWith(fresh);
}

function show({ id, html }) {
  if (main.dataset.id) {
    if (id === main.dataset.id) refresh().catch(() => {});
    return;
  }
  if (!list()) {
    refresh().catch(() => {});
    return;
  }
  const row = document.getElementById(`r-${id}`);
  if (row) {
    const focused = row.contains(document.activeElement);
    row.outerHTML = html;
    if (focused) document.querySelector(`[id="r-${id}"] a`).focus();
    return;
  }
  list().insertAdjacentHTML('afterbegin', html);
  while (list().children.length > kept) list().lastElementChild.remove();
}

function say(text) {
  if (live) live.textContent = text;
}

const stream = new EventSource(main.dataset.stream);
stream.addEventListener('request', (event) => {
  if (!paused) show(JSON.parse(event.data));
});
stream.addEventListener('open', () => {
  say(paused ? 'Paused.' : 'Live: the last 200 that are no pages, newest first.');
  if (!paused) refresh().catch(() => {});
});
stream.addEventListener('error', () => say('The server cannot be reached. As soon as it is back, this goes on.'));

if (pause) {
  pause.hidden = false;
  pause.addEventListener('click', () => {
    paused = !paused;
    pause.setAttribute('aria-pressed', String(paused));
    say(paused ? 'Paused.' : 'Live: the last 200 that are no pages, newest first.');
    if (!paused) refresh().catch(() => {});
  });
}
