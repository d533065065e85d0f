// Boxes that scroll sideways can be reached, and scrolled, from the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll("pre, .cell_output .output, .pst-scrollable-table-container, div.math")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});

// A page that was opened from a folder may not read its neighbours: there the search lists titles alone.
if (!location.protocol.startsWith("http") && typeof DOCUMENTATION_OPTIONS === "object") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
