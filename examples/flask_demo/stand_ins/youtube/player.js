// The "video": a ship at anchor through one night, drawn, not filmed. 24 seconds, then from the start.
const canvas = document.querySelector("canvas");
const pen = canvas.getContext("2d");
const button = document.querySelector("button");
const bar = document.querySelector("progress");
const LENGTH = 24;
let position = 3;
let before = null;

function mix(from, to, share) {
  return `rgb(${from.map((part, i) => Math.round(part + (to[i] - part) * share)).join(" ")})`;
}

function draw() {
  const width = (canvas.width = canvas.clientWidth * devicePixelRatio);
  const height = (canvas.height = canvas.clientHeight * devicePixelRatio);
  const day = (Math.cos((position / LENGTH) * 2 * Math.PI) + 1) / 2;
  const horizon = height * 0.62;
  const sky = pen.createLinearGradient(0, 0, 0, horizon);
  sky.addColorStop(0, mix([8, 20, 34], [70, 134, 158], day));
  sky.addColorStop(1, mix([22, 49, 66], [244, 196, 150], day));
  pen.fillStyle = sky;
  pen.fillRect(0, 0, width, horizon);

  pen.fillStyle = `rgb(255 255 255 / ${0.8 * (1 - day)})`;
  for (let i = 0; i < 60; i++) {
    pen.fillRect(((i * 137.5) % 360) / 360 * width, ((i * 71) % 100) / 100 * horizon * 0.9, height / 260, height / 260);
  }
  const arc = Math.PI * ((position / LENGTH + 0.5) % 1);
  pen.fillStyle = mix([226, 232, 224], [255, 226, 160], day);
  pen.beginPath();
  pen.arc(width * (0.5 - 0.45 * Math.cos(arc)), horizon - Math.sin(arc) * horizon * 0.7, height * 0.05, 0, 7);
  pen.fill();

  for (let row = 0; row < 7; row++) {
    pen.fillStyle = mix([9, 32, 44], [30, 102, 112], (day * (7 - row)) / 7);
    pen.beginPath();
    const y = horizon + ((height - horizon) * row) / 7;
    pen.moveTo(0, height);
    for (let x = 0; x < width + width / 60; x += width / 60) {
      pen.lineTo(x, y + Math.sin(x / width * (18 - row) + position * (1 + row / 3)) * height * 0.006 * (row + 1));
    }
    pen.lineTo(width * 1.1, height);
    pen.fill();
    if (row === 1) ship(width, height, horizon, day);
  }
}

function ship(width, height, horizon, day) {
  pen.save();
  pen.translate(width * 0.56, horizon + height * (0.07 + 0.006 * Math.sin(position * 1.4)));
  pen.rotate(0.012 * Math.sin(position));
  pen.scale(height / 400, height / 400);
  pen.fillStyle = mix([4, 12, 18], [22, 42, 54], day);
  pen.beginPath();
  pen.moveTo(-150, -34); pen.lineTo(150, -34); pen.lineTo(128, 0); pen.lineTo(-134, 0);
  pen.fill();
  pen.fillRect(-128, -92, 46, 58);
  pen.fillRect(-112, -112, 8, 20);
  ["#f05a37", "#e9c46a", "#2a9d8f"].forEach((colour, i) => {
    pen.globalAlpha = 0.35 + 0.65 * day;
    pen.fillStyle = colour;
    for (let box = 0; box < 4; box++) pen.fillRect(-66 + box * 48, -52 - i * 18 + 2, 44, 16);
  });
  pen.globalAlpha = 1 - day;
  pen.fillStyle = "#ffe9a8";
  for (let i = 0; i < 3; i++) pen.fillRect(-122 + i * 13, -82, 7, 7);
  pen.fillRect(-110, -120, 5, 7);
  pen.restore();
}

function step(now) {
  if (before === null) return;
  position = (position + (now - before) / 1000) % LENGTH;
  before = now;
  bar.value = position;
  draw();
  requestAnimationFrame(step);
}

function toggle() {
  const playing = before === null;
  button.hidden = playing;
  before = playing ? performance.now() : null;
  if (playing) requestAnimationFrame(step);
}

button.addEventListener("click", toggle);
canvas.addEventListener("click", toggle);
addEventListener("resize", draw);
bar.value = position;
draw();
