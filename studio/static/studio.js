// What the pages cannot do without a script: copy a value, and follow a log.
"use strict";

const announce = (text) => { document.getElementById("announce").textContent = text; };

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.parentElement.querySelector("pre").textContent);
  button.textContent = "Copied";
  announce("Copied");
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});

// A graph that is wider than the screen shows its middle first.
for (const graph of document.querySelectorAll(".graph")) graph.scrollLeft = (graph.scrollWidth - graph.clientWidth) / 2;

// A log stays at its end unless the reader has scrolled up, and keeps its last lines only.
for (const log of document.querySelectorAll("[data-most]")) {
  let atEnd = true;
  log.addEventListener("scroll", () => { atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40; });
  new MutationObserver(() => {
    let lines = log.querySelectorAll("p").length;
    while (lines > log.dataset.most && log.children.length > 1) {
      lines -= log.firstElementChild.querySelectorAll("p").length;
      log.firstElementChild.remove();
    }
    if (atEnd) log.scrollTop = log.scrollHeight;
  }).observe(log, { childList: true });
}

document.addEventListener("htmx:sse:error", () => announce("Studio does not answer. The page shows the last that it got."));
document.addEventListener("htmx:sse:after:connection", () => announce(""));
