// Boxes that scroll sideways can be reached, and scrolled, from the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll("pre, .cell_output .output, .pst-scrollable-table-container, div.math")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});

// A page that was opened from a folder may not read its neighbours: there the search lists titles alone.
if (!location.protocol.startsWith("http") && typeof DOCUMENTATION_OPTIONS === "object") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// The words of this page's language stand at its foot (docs/_templates/about.html).
function words() {
  return document.querySelector(".about")?.dataset ?? {};
}

// Each block of code has a button that copies it, and each figure a link that opens it large.
function copied(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  return Promise.resolve();
}

document.addEventListener("DOMContentLoaded", () => {
  for (const block of document.querySelectorAll(".bd-article div.highlight")) {
    const code = block.querySelector("pre");
    if (!code || block.closest(".cell_output")) continue;
    const button = Object.assign(document.createElement("button"), { className: "copy", type: "button", textContent: words().copy });
    button.setAttribute("aria-label", words().copyThis);
    button.addEventListener("click", () => {
      copied(code.innerText).then(() => { button.textContent = words().copied; setTimeout(() => { button.textContent = words().copy; }, 1500); });
    });
    block.append(button);
  }
  for (const picture of document.querySelectorAll(".bd-article .cell_output img, .bd-article figure img")) {
    if (picture.closest("a")) continue;
    const link = Object.assign(document.createElement("a"), { href: picture.src, className: "large", title: words().large });
    picture.replaceWith(link);
    link.append(picture);
  }
  for (const quiz of document.querySelectorAll("form.quiz")) quiz.querySelector("button").addEventListener("click", () => mark(quiz));
});

// The quiz: a page holds a check sum of each right letter; tools/site/quiz.py computes the same.
function checkSum(text) {
  let total = 7;
  for (const sign of text) total = (total * 31 + sign.charCodeAt(0)) % 1000003;
  return total;
}

function mark(quiz) {
  const fields = [...quiz.querySelectorAll("fieldset")];
  let right = 0;
  for (const field of fields) {
    const chosen = field.querySelector("input:checked");
    const isRight = chosen !== null && checkSum(`${chosen.name}:${chosen.value}`) === Number(field.dataset.key);
    right += isRight;
    field.dataset.mark = isRight ? quiz.dataset.isRight : chosen ? quiz.dataset.isWrong : quiz.dataset.isOpen;
  }
  quiz.querySelector("output").textContent = quiz.dataset.score.replace("{right}", right).replace("{all}", fields.length);
}
