// The waiting state of a device login: asks the gateway how it goes, counts down, and shows the end of it.

const box = document.getElementById("device");
const words = document.getElementById("wait-words");
const notice = document.getElementById("notice");
const remaining = document.getElementById("remaining");
const waiting = words.textContent;

let ends = Date.now() + 1000 * Number(box.dataset.expiresIn);
let minuteSaid = false;
let failures = 0;
let timer = 0;

function tell(text) {
  if (words.textContent !== text) words.textContent = text;
}

function showNotice(text) {
  notice.hidden = !text;
  if (notice.textContent !== text) notice.textContent = text;
}

function countDown() {
  const seconds = Math.max(0, Math.round((ends - Date.now()) / 1000));
  remaining.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  if (seconds <= 60 && seconds > 0 && !minuteSaid) {
    minuteSaid = true;
    document.getElementById("announce").textContent = box.dataset.minute;
  }
}

function finish(panel) {
  clearInterval(clock);
  box.innerHTML = panel;
  const title = document.getElementById("outcome-title");
  document.title = `${title.textContent} · Copilot Bridge`;
  title.focus();
}

function take(answer) {
  // Another attempt, or none: this window shows something that is over.
  if (String(answer.login) !== box.dataset.login) return location.replace(box.dataset.page);
  // GitHub has approved it, and a warning must be confirmed: the page shows it.
  if (answer.confirm) return location.replace(box.dataset.page);
  if (answer.state !== "pending") return finish(answer.panel);
  ends = Date.now() + 1000 * answer.expires_in;
  showNotice(answer.notice);
  tell(waiting);
  failures = 0;
  plan(answer.poll_in_ms);
}

async function ask() {
  let response, answer;
  try {
    response = await fetch(box.dataset.status, { headers: { Accept: "application/json" } });
    if (response.ok) answer = await response.json();
  } catch {
    response = undefined;
  }
  if (answer) return take(answer);
  // Signed out meanwhile, or the password is due: the page itself knows where to go.
  if (response && [401, 403].includes(response.status)) return location.replace(box.dataset.page);
  failures += 1;
  showNotice(box.dataset.lost);
  plan(Math.min(30000, 2000 * 2 ** failures));
}

function plan(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(ask, milliseconds);
}

// Coming back from GitHub's page is the likeliest moment for news; the gateway still keeps GitHub's pace.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && box.contains(words)) plan(0);
});

// Only a browser without scripts has to ask by hand.
document.getElementById("check").hidden = true;
const clock = setInterval(countDown, 1000);
countDown();
plan(Number(box.dataset.pollInMs));
