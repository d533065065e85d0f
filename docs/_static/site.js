// Boxes that scroll sideways can be reached, and scrolled, from the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll("pre, .cell_output .output, .pst-scrollable-table-container, div.math")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
