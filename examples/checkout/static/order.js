// Keeps the page of an order up to date, and says so when it cannot. Without this file the page reloads itself every
// five seconds.
//
// The server tells of changes by a stream, and the page looks by itself as well: a stream may break, or fall silent
// without an end. What a look missed is found by the next one, which comes whatever happened.

import * as countdown from "./countdown.js";

const SECOND = 1000;
const LOOK_BESIDE_STREAM = 10 * SECOND;
const LOOK_WITHOUT_STREAM = 2 * SECOND;
const STREAM_AGAIN_AFTER = 15 * SECOND;
const LONGEST_PAUSE = 15 * SECOND;
const CLOSE_HIDDEN_AFTER = 2 * SECOND;
const PATIENCE = 4 * SECOND;
const PATIENCE_FOR_PAGE = 12 * SECOND; // the shop may ask the payment service first
const FAILURES_UNTIL_LOST = 2; // one may be chance

const address = location.pathname;
const announcer = document.getElementById("announcer");
let main = document.querySelector("main[data-version]"); // nothing is followed on other pages
let stream = null;
let noStreamBefore = 0;
let nextLook = null;
let looking = false;
let lookAgain = false;
let failures = 0;

async function get(path, patience) {
  const control = new AbortController();
  const timer = setTimeout(() => control.abort(), patience);
  try {
    const reply = await fetch(path, { cache: "no-store", signal: control.signal });
    return { status: reply.status, text: await reply.text() };
  } finally {
    clearTimeout(timer);
  }
}

// Each of the next two returns whether the shop answered, and what is shown is what it said.
async function ask() {
  const { status, text } = await get(`${address}/status`, PATIENCE);
  if (status === 200) {
    const { version, seconds_left } = JSON.parse(text);
    if (version === main.dataset.version) {
      countdown.endIn(seconds_left);
      return true;
    }
  }
  return (status === 200 || status === 404) && showAnew();
}

// the server's HTML is the only place that knows what a state looks like
async function showAnew() {
  const { status, text } = await get(address, PATIENCE_FOR_PAGE);
  const page = new DOMParser().parseFromString(text, "text/html");
  const fresh = page.querySelector("main[data-version]");
  if ((status !== 200 && status !== 404) || fresh === null) {
    return false; // not the shop's word, but that of a server between
  }
  if (fresh.dataset.version !== main.dataset.version) {
    const hadFocus = main.contains(document.activeElement);
    main.replaceWith(fresh);
    main = fresh;
    document.title = page.title;
    announcer.textContent = main.dataset.says;
    if (hadFocus) {
      main.querySelector("h1").focus(); // where the focus was is gone
    }
    countdown.start();
  }
  return true;
}

async function look() {
  if (main.dataset.final === "yes") {
    return;
  }
  if (looking) {
    lookAgain = true; // it may have been answered before what this call is about
    return;
  }
  looking = true;
  clearTimeout(nextLook);
  do {
    lookAgain = false;
    const answered = await ask().catch(() => false);
    failures = answered ? 0 : failures + 1;
  } while (lookAgain && failures === 0);
  looking = false;
  showConnection();
  if (main.dataset.final === "yes") {
    stop();
  } else if (!document.hidden) {
    if (failures === 0) {
      listen();
    }
    nextLook = setTimeout(look, pause());
  }
}

function pause() {
  if (failures > 0) {
    const longest = Math.min(LONGEST_PAUSE, SECOND * 2 ** failures);
    return longest * (0.5 + Math.random() / 2); // so that all the pages of a shop do not come back at the same moment
  }
  return stream?.readyState === EventSource.OPEN ? LOOK_BESIDE_STREAM : LOOK_WITHOUT_STREAM;
}

function showConnection() {
  const lost = failures >= FAILURES_UNTIL_LOST;
  if (lost && !main.classList.contains("lost")) {
    announcer.textContent = "Connection lost. Trying again.";
  } else if (!lost && main.classList.contains("lost")) {
    announcer.textContent = "Connected again.";
  }
  main.classList.toggle("lost", lost);
}

function listen() {
  if (stream !== null || performance.now() < noStreamBefore) {
    return;
  }
  stream = new EventSource(`${address}/events`);
  stream.addEventListener("status", (event) => {
    if (JSON.parse(event.data).version !== main.dataset.version) {
      look();
    }
  });
  stream.addEventListener("error", () => {
    noStreamBefore = performance.now() + STREAM_AGAIN_AFTER;
    closeStream();
    look();
  });
}

function closeStream() {
  stream?.close();
  stream = null;
}

function stop() {
  clearTimeout(nextLook);
  closeStream();
}

// a browser opens six connections to a host: the streams of tabs that nobody looks at would take them all
function stopWhenHidden() {
  if (document.hidden) {
    setTimeout(() => document.hidden && stop(), CLOSE_HIDDEN_AFTER);
  } else {
    look();
  }
}

function isOver() {
  announcer.textContent = "The time for this invoice is over.";
  look();
}

if (main !== null && main.dataset.final !== "yes") {
  countdown.start();
  countdown.run(isOver);
  document.addEventListener("visibilitychange", stopWhenHidden);
  window.addEventListener("online", look);
  window.addEventListener("offline", look);
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", look); // also back in the history, where the page is as it was left
}
