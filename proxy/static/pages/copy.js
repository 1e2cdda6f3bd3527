// Buttons that copy the text of another element. They are hidden until this script runs.

// Pages served by plain http have no clipboard API; the old command works there, within the click.
function copyBySelection(source) {
  const range = document.createRange();
  range.selectNodeContents(source);
  const selection = getSelection();
  selection.removeAllRanges();
  selection.addRange(range);
  return document.execCommand("copy");
}

async function copy(source) {
  if (navigator.clipboard && isSecureContext) {
    try {
      await navigator.clipboard.writeText(source.textContent.trim());
      return true;
    } catch {
      // Refused by a policy or a missing permission: the selection below is the second way.
    }
  }
  return copyBySelection(source);
}

function announce(words) {
  const place = document.getElementById("announce");
  if (place) place.textContent = words;
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const words = button.textContent;
  let back = 0;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const done = await copy(document.querySelector(button.dataset.copy));
    const said = done ? button.dataset.done : button.dataset.select;
    button.textContent = said;
    button.classList.toggle("copied", done);
    announce(said);
    clearTimeout(back);
    back = setTimeout(() => {
      button.textContent = words;
      button.classList.remove("copied");
      announce("");
    }, 2500);
  });
}
