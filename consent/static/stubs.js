// Stand-ins for the globals of vendors that are not allowed: calls to them do nothing and keep nothing.
for (const entry of document.currentScript.dataset.stubs.split(" ")) {
  const name = entry.slice(entry.indexOf(":") + 1, -2);
  if (!(name in window)) {
    const stub = entry.endsWith("[]") ? Object.assign([], { push: () => 0 }) : () => {};
    window[name] = Object.assign(stub, { consentStub: true });
  }
}
