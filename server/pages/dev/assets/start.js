// Asks every few seconds how the server is, while the page is looked at.
const part = document.querySelector('[data-part]');
const every = 3000;

async function look() {
  if (document.hidden) return;
  let html = '<ul class="health"><li class="ill"><b>Server</b> <span class="state">ill</span> <span class="says">It cannot be reached.</span><span class="do">See what it says in its terminal; make dev or make run starts it.</span></li></ul>';
  try {
    const answer = await fetch('/dev/health');
    if (answer.ok) html = await answer.text();
  } catch {
    // it stays as it is above
  }
  if (part.innerHTML.trim() !== html.trim()) part.innerHTML = html;
}

setInterval(look, every);
