// A line that goes on as a forecast, as SVG.

const WIDTH = 720, HEIGHT = 280, LEFT = 56, RIGHT = 8, TOP = 8, BOTTOM = 8;

/**
 * Draws a series and its forecast.
 *
 * `past` has numbers, `future` an array of quantiles for each step, of which `middle`
 * is the place of the median. The outer ones are a band.
 */
export function drawForecast(past, future, middle, name) {
  const all = [...past, ...future.flat()];
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const room = (high - low || Math.abs(high) || 1) * 0.05;
  const steps = past.length + future.length - 1 || 1;
  const x = (index) => LEFT + (WIDTH - LEFT - RIGHT) * index / steps;
  const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) *
    (high + room - value) / (high - low + 2 * room);
  const points = (values, first) => values.map(
    (value, index) => `${x(first + index).toFixed(1)},${y(value).toFixed(1)}`);
  const now = past.length - 1;
  const of = (k) => [past[now], ...future.map((row) => row[k])];
  const lower = points(of(0), now), upper = points(of(future[0].length - 1), now);
  return svg('svg', {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', class: 'chart',
    'aria-label': `${name} and its forecast`},
  ...ticks(low, high).flatMap((value) => [
    svg('line', {class: 'grid', x1: LEFT, x2: WIDTH - RIGHT, y1: y(value), y2: y(value)}),
    svg('text', {x: LEFT - 8, y: y(value) + 4}, `${value}`)]),
  svg('polygon', {class: 'band', points: [...lower, ...upper.reverse()].join(' ')}),
  svg('polyline', {class: 'past', points: points(past, 0).join(' ')}),
  svg('polyline', {class: 'future', points: points(of(middle), now).join(' ')}));
}

/** Round numbers between two others, three to seven of them. */
export function ticks(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 3));
  const step = [1, 2, 5].map((x) => x * power).findLast((x) => span / x >= 3) ?? power;
  const first = Math.ceil(low / step), last = Math.floor(high / step);
  return Array.from({length: last - first + 1},
    (_, index) => Number(((first + index) * step).toPrecision(6)));
}

function svg(tag, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
