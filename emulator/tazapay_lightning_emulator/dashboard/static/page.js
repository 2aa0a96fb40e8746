// Keeps the page up to date and sends its forms without leaving it. Without this file, forms reload the page.
"use strict";

(() => {
  const SECOND = 1000;
  const main = document.getElementById("main");
  const live = document.getElementById("live");
  let ahead = 0; // of the emulator's clock over the time since this page was opened, in seconds
  let looking = false;
  let lookAgain = false;

  const now = () => performance.now() / SECOND + ahead;

  // Change as little as possible: what somebody types, has focused or has opened stays as it is.
  function update(old, fresh) {
    if (old.nodeType === Node.TEXT_NODE) {
      old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== "open") {
        old.removeAttribute(name);
      }
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) {
        old.setAttribute(name, value);
      }
    }
    let next = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const same = sameAs(child, next);
      if (same === null) {
        old.insertBefore(child, next).classList?.add("new");
        continue;
      }
      next = removeUntil(same, next);
      if (!next.isEqualNode(child)) {
        update(next, child);
      }
      next = next.nextSibling;
    }
    removeUntil(null, next);
  }

  // What has an id is looked for among all that follow; anything else has to be the next one.
  function sameAs(wanted, next) {
    const id = wanted.id ?? "";
    while (id !== "" && next !== null && next.id !== id) {
      next = next.nextSibling;
    }
    return next !== null && next.nodeName === wanted.nodeName && (next.id ?? "") === id ? next : null;
  }

  function removeUntil(end, next) {
    while (next !== end) {
      const after = next.nextSibling;
      next.remove();
      next = after;
    }
    return end;
  }

  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const fresh = page.getElementById("main");
    const focused = document.activeElement;
    const around = [];
    for (let it = focused; it !== null; it = it.parentElement) {
      around.push(it);
    }
    update(main, fresh);
    document.title = page.title;
    begin();
    if (!main.contains(focused) && around.includes(main)) {
      around.find((it) => it.isConnected && it.tabIndex === -1 && it.id !== "").focus({ preventScroll: true });
    }
    return page;
  }

  // One look at a time; what changes during it is seen by the next one.
  async function look() {
    if (looking) {
      lookAgain = true;
      return;
    }
    looking = true;
    try {
      do {
        lookAgain = false;
        const reply = await fetch("/", { cache: "no-store" });
        show(await reply.text());
      } while (lookAgain);
      tell("Live");
    } catch {
      tell("Connection lost, trying again");
      setTimeout(look, SECOND);
    } finally {
      looking = false;
    }
  }

  async function send(form, submitter) {
    if (submitter.getAttribute("aria-busy") === "true") {
      return;
    }
    submitter.setAttribute("aria-busy", "true");
    const notice = document.getElementById("notice");
    try {
      const reply = await fetch(form.getAttribute("action"), {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
      });
      const page = show(await reply.text());
      notice.replaceChildren(...page.getElementById("notice").childNodes);
      say(reply.ok ? form.dataset.done : "");
    } catch {
      say("That was not sent: the emulator cannot be reached.");
      tell("Connection lost, trying again");
    } finally {
      submitter.removeAttribute("aria-busy");
    }
  }

  function say(text) {
    document.getElementById("said").textContent = text;
  }

  function tell(state) {
    if (live.textContent !== state) {
      live.textContent = state;
      live.className = state === "Live" ? "good" : "bad";
    }
  }

  async function copy(button) {
    const text = document.getElementById(button.dataset.copy);
    getSelection().selectAllChildren(text); // also for those whose browser does not let a page copy
    try {
      await navigator.clipboard.writeText(text.textContent);
      say("Copied.");
    } catch {
      say("Not copied: the browser forbids it. The text is selected.");
    }
  }

  function span(seconds) {
    const rest = Math.max(0, Math.ceil(seconds));
    const two = (number) => String(number).padStart(2, "0");
    const days = Math.floor(rest / 86400);
    const hours = Math.floor(rest / 3600) % 24;
    const minutes = Math.floor(rest / 60) % 60;
    const hour = days > 0 || hours > 0 ? `${hours}:${two(minutes)}` : `${minutes}`;
    return `${days > 0 ? `${days} d ` : ""}${hour}:${two(rest % 60)}`;
  }

  function tick() {
    document.getElementById("now").textContent = new Date(now() * SECOND).toISOString().slice(0, 19).replace("T", " ");
    for (const left of document.querySelectorAll(".left")) {
      const seconds = Number(left.dataset.until) - now();
      left.textContent = span(seconds);
      if (seconds <= 0 && !left.hasAttribute("data-over")) {
        left.setAttribute("data-over", ""); // ask once: the server's clock decides
        look();
      }
    }
  }

  // what has to be done for every new content
  function begin() {
    ahead = Number(main.dataset.now) - performance.now() / SECOND;
    tick();
  }

  let events = null;

  function listen() {
    events?.close();
    events = new EventSource("/_emulator/page/events");
    events.addEventListener("message", look);
    events.addEventListener("error", () => {
      tell("Connection lost, trying again");
      if (events.readyState === EventSource.CLOSED) {
        setTimeout(listen, SECOND); // the browser itself has given up
      }
    });
  }

  document.documentElement.classList.add("js");
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    send(event.target, event.submitter);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button !== null) {
      copy(button);
    }
  });
  // a browser keeps six connections to a host: tabs that nobody sees must not take them all
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      events.close();
    } else {
      listen();
    }
  });
  setInterval(tick, SECOND);
  begin();
  listen();
})();
