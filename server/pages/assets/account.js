// Sends a form to the API, with the token of a mail's link where there is one. It
// stands in the fragment, which the browser sends to no server.
const form = document.querySelector('form');
const status = document.getElementById('status');
const token = new URLSearchParams(location.hash.slice(1)).get('token');

function say(text, failed) {
  status.textContent = text;
  status.className = failed ? 'failed' : 'done';
}

async function send() {
  const body = Object.fromEntries(new FormData(form));
  if (token) body.token = token;
  const answer = await fetch(form.dataset.call, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.ok) {
    form.hidden = true;
    history.replaceState(null, '', location.pathname);
    say(form.dataset.done, false);
    return;
  }
  const problem = await answer.json();
  const fields = (problem.errors || []).map((e) => `${e.field.replace('_', ' ')} ${e.message}`);
  say(fields.length ? fields.join('. ') + '.' : problem.detail, true);
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  send().catch(() => say('The server cannot be reached. Try again.', true));
});
if (!token && form.dataset.token !== undefined) {
  form.hidden = true;
  say('The link is not whole. Open it from the mail again.', true);
}
