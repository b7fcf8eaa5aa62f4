// Stand-in for a statistics script: gives the browser an id, keeps it in a cookie of the *visited* site, and reports
// each page view with it to the collector, as the real ones do.
(function () {
  "use strict";
  var commands = window._paq || [];
  var tracker = "";
  var site = "1";
  var name = "_pk_id.1.1fff";

  function id() {
    var found = document.cookie.match(/(?:^|; )_pk_id\.1\.1fff=([0-9a-f]{16})/);
    if (found) return found[1];
    var made = Array.from(crypto.getRandomValues(new Uint8Array(8)), function (byte) {
      return byte.toString(16).padStart(2, "0");
    }).join("");
    document.cookie = name + "=" + made + "; Max-Age=33955200; Path=/; SameSite=Lax";
    return made;
  }

  function report() {
    document.cookie = "_pk_ses.1.1fff=1; Max-Age=1800; Path=/; SameSite=Lax";
    new Image().src = tracker + "?idsite=" + site + "&rec=1&_id=" + id() +
      "&url=" + encodeURIComponent(location.href) + "&action_name=" + encodeURIComponent(document.title);
  }

  function run(command) {
    if (command[0] === "setTrackerUrl") tracker = command[1];
    if (command[0] === "setSiteId") site = command[1];
    if (command[0] === "trackPageView") report();
  }

  // The address comes first, whatever the order they were queued in.
  commands.filter(function (command) { return command[0].startsWith("set"); }).forEach(run);
  commands.filter(function (command) { return !command[0].startsWith("set"); }).forEach(run);
  window._paq = { push: run };
})();
