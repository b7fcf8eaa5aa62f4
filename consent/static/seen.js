// On pages that are the same for everybody: hides an answered notice before the first paint, and any inside a frame.
if (window.top !== window || document.cookie.split("; ").includes(`consent-seen=${document.currentScript.dataset.version}`)) {
  document.documentElement.setAttribute("data-consent-seen", "");
}
