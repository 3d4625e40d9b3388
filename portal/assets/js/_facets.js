// Facets fold on phones. The style sheet keeps them open on wide screens; this does it in browsers whose
// style sheets cannot open a <details>.
export function openOnWideScreens() {
  if (CSS.supports("selector(::details-content)")) return;
  const wide = window.matchMedia("(min-width: 56.01em)");
  const fit = () => {
    for (const facets of document.querySelectorAll(".weft-facets")) facets.open = wide.matches;
  };
  wide.addEventListener("change", fit);
  fit();
}
