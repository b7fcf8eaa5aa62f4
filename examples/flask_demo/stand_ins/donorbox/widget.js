// Stand-in for a donation widget: it marks the form's frame as looked after, and remembers that this browser came.
for (const frame of document.querySelectorAll('iframe[name="donorbox"]')) frame.dataset.widget = "ready";
try { localStorage.setItem("donorbox-stand-in", "seen"); } catch { /* storage is off */ }
