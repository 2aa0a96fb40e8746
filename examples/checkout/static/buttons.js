// What buttons do beyond sending their form: they are busy while it is sent, copy, and print.

const announcer = document.getElementById("announcer");
const BUSY_AT_MOST = 10_000; // milliseconds: a form whose sending was stopped can be sent again
const SAY_FOR = 5_000;

document.documentElement.classList.add("has-script"); // shows the buttons that need one

function say(button, words) {
  button.dataset.label ??= button.textContent;
  button.textContent = words;
  announcer.textContent = words;
}

function makeBusy(button) {
  say(button, button.dataset.busy);
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  setTimeout(makeUsable, BUSY_AT_MOST, button);
}

function makeUsable(button) {
  button.textContent = button.dataset.label;
  button.disabled = false;
  button.removeAttribute("aria-busy");
}

async function copy(button) {
  const request = document.getElementById("request");
  request.select();
  let copied = true;
  try {
    await navigator.clipboard.writeText(request.value);
  } catch {
    copied = document.execCommand("copy"); // the only way on a page without https, such as this shop on your own network
  }
  say(button, copied ? "Copied" : howToCopy());
  if (!copied) {
    request.focus(); // where the keys copy from
  }
  setTimeout(() => {
    button.textContent = button.dataset.label;
  }, SAY_FOR);
}

function howToCopy() {
  if (matchMedia("(pointer: coarse)").matches) {
    return "Not copied: press on the text, and copy it";
  }
  return `Not copied: press ${navigator.platform.startsWith("Mac") ? "⌘" : "Ctrl+"}C`;
}

document.addEventListener("submit", (event) => {
  const button = event.target.querySelector("[data-busy]");
  if (button !== null) {
    makeBusy(button);
  }
});
document.addEventListener("click", (event) => {
  if (event.target.id === "copy") {
    copy(event.target);
  } else if (event.target.id === "print") {
    window.print();
  }
});
// back in the history, a page is as it was left, and some browsers remember disabled buttons
window.addEventListener("pageshow", () => {
  document.querySelectorAll("[aria-busy]").forEach(makeUsable);
});
