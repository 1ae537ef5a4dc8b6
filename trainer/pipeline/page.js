"use strict";
const charts = JSON.parse(document.querySelector("#data").textContent);

function draw(place) {
  const { series, share } = charts[place.dataset.chart];
  const style = getComputedStyle(document.documentElement), colour = (name) => style.getPropertyValue(name).trim();
  const axis = { gridcolor: colour("--line"), linecolor: colour("--line"), zerolinecolor: colour("--line"), automargin: true, fixedrange: true };
  const traces = series.map(({ name, x, y }, n) => ({
    name, x, y, mode: x.length > 60 ? "lines" : "lines+markers", line: { width: 1.6, color: colour(`--c${n % 8}`) }, marker: { size: 4 },
  }));
  Plotly.react(place, traces, {
    margin: { l: 40, r: 6, t: 6, b: 24 }, height: 180, showlegend: false, hovermode: "x unified",
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: colour("--faint"), size: 11, family: "system-ui, sans-serif" },
    hoverlabel: { bgcolor: colour("--panel"), bordercolor: colour("--line"), font: { color: colour("--text") } },
    xaxis: { ...axis, showgrid: false },
    yaxis: { ...axis, nticks: 5, ...(share ? { tickformat: ".0%", rangemode: "tozero" } : {}) },
  }, { displayModeBar: false, responsive: true });
}

const places = [...document.querySelectorAll(".plot")];
// A plot is made when it comes into view.
const watch = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter((one) => one.isIntersecting)) {
    watch.unobserve(target);
    draw(target);
  }
}, { rootMargin: "400px" });
places.forEach((place) => watch.observe(place));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => places.filter((place) => place.data).forEach(draw));
