// Keeps the page of an order up to date. Without this file the page reloads itself every five seconds.
"use strict";

(() => {
  const SECOND = 1000;
  const POLL_EVERY = 2 * SECOND;
  let main = document.querySelector("main[data-version]");
  if (main === null) {
    return; // the order form needs no help
  }
  const address = location.pathname;
  const announcer = document.getElementById("announcer");
  let ends = 0;
  let polling = null;
  let fetching = false;

  // the server's HTML is the only place that knows what a state looks like
  async function showAnew() {
    if (fetching) {
      return;
    }
    fetching = true;
    try {
      const reply = await fetch(address, { cache: "no-store" });
      if (!reply.ok) {
        return;
      }
      const page = new DOMParser().parseFromString(await reply.text(), "text/html");
      const fresh = page.querySelector("main[data-version]");
      if (fresh === null || fresh.dataset.version === main.dataset.version) {
        return;
      }
      const hadFocus = main.contains(document.activeElement);
      main.replaceWith(fresh);
      main = fresh;
      document.title = page.title;
      announcer.textContent = main.dataset.says;
      if (hadFocus) {
        main.querySelector("h1").focus(); // where the focus was is gone
      }
      begin();
    } catch {
      // not reachable now: the next look comes
    } finally {
      fetching = false;
    }
  }

  function heard(status) {
    if (status.version !== main.dataset.version) {
      showAnew();
    }
  }

  async function look() {
    try {
      const reply = await fetch(`${address}/status`, { cache: "no-store" });
      if (reply.ok) {
        heard(await reply.json());
      }
    } catch {
      // not reachable now: the next look comes
    }
  }

  function poll(wanted) {
    if (wanted && polling === null) {
      polling = setInterval(look, POLL_EVERY);
    } else if (!wanted && polling !== null) {
      clearInterval(polling);
      polling = null;
    }
  }

  async function copy() {
    const request = document.getElementById("request");
    request.select();
    try {
      await navigator.clipboard.writeText(request.value);
    } catch {
      document.execCommand("copy"); // the only way on a page without https, such as this shop on your own network
    }
    announcer.textContent = "Copied.";
    document.getElementById("copy").textContent = "Copied";
  }

  function tick() {
    const left = document.getElementById("left");
    if (left === null) {
      return;
    }
    const seconds = Math.max(0, Math.ceil((ends - performance.now()) / SECOND));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    main.classList.toggle("over", seconds === 0);
  }

  // what has to be done for every new content
  function begin() {
    const button = document.getElementById("copy");
    if (button !== null) {
      button.hidden = false;
      button.addEventListener("click", copy);
    }
    const left = document.getElementById("left");
    if (left !== null) {
      ends = performance.now() + Number(left.dataset.seconds) * SECOND; // the clock of this device may be wrong
    }
    if (main.dataset.final === "yes") {
      events.close();
      poll(false);
    }
  }

  const events = new EventSource(`${address}/events`);
  events.addEventListener("status", (event) => heard(JSON.parse(event.data)));
  events.addEventListener("open", () => poll(false));
  events.addEventListener("error", () => poll(true)); // the browser tries the stream again, or has given up on it
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      look(); // back from the wallet: phones stop the streams of pages in the background
    }
  });
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      look(); // back in the history: the page is as it was left
    }
  });
  setInterval(tick, SECOND);
  begin();
})();
