// The time that is left for an invoice, by performance.now(): the clock of a device may be wrong.

const SECOND = 1000;
let ends = Infinity;

// begins anew with what the page says
export function start() {
  const left = document.getElementById("left");
  ends = left === null ? Infinity : performance.now() + Number(left.dataset.seconds) * SECOND;
}

// the end comes only ever earlier: timers stand still while a device sleeps, and the shop's do not
export function endIn(seconds) {
  ends = Math.min(ends, performance.now() + seconds * SECOND);
}

export function run(whenOver) {
  setInterval(() => {
    const left = document.getElementById("left");
    if (left === null) {
      return;
    }
    const seconds = Math.max(0, Math.ceil((ends - performance.now()) / SECOND));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const main = left.closest("main");
    if (seconds === 0 && !main.classList.contains("over")) {
      main.classList.add("over"); // there is nothing to scan any more
      whenOver();
    }
  }, SECOND);
}
