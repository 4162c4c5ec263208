// The page of a forecaster: the last rows of a table in, the next ones out.
import {drawForecast} from './chart.js';
import {
  element, followText, milliseconds, replace, size, start,
} from './interface.js';
import {latency, loadModel, read} from './runtime.js';
import {count, datesAfter, readTable, shown} from './series.js';

start(async ({tell, guard}) => {
  const [model, facts, page] = await Promise.all(
    [loadModel('model.tflite'), read('series.json'), read('page.json')]);
  const inputs = model.inputs.serve;
  const [, lookBack] = inputs.history;
  const [, horizon] = model.outputs.serve.forecast;
  const levels = facts.quantiles.length ? facts.quantiles : [null];
  const [box, column, series] = ['text', 'column', 'series'].map(
    (id) => document.getElementById(id));
  replace('column', facts.columns.slice(0, facts.num_targets).map(
    (name, value) => element('option', {value}, name)));
  replace('series', facts.series.map((name, value) => element('option', {value}, name)));
  document.getElementById('of_series').hidden = !facts.series.length;
  document.getElementById('about').textContent =
    `Reads the last ${lookBack} rows of a table and forecasts the next ${horizon}.`;
  document.getElementById('size').textContent = size(model.bytes);

  /** The rows that were read, and `[row][target][quantile]` of what comes. */
  async function forecast(text, number = 0) {
    const {rows, dates} = readTable(text, facts);
    if (rows.length < lookBack) {
      throw new Error(`The model reads ${lookBack} rows; the table has ${rows.length}.`);
    }
    if (inputs.time && !dates) {
      throw new Error('A column must hold dates such as 2024-03-01 12:00.');
    }
    const history = rows.slice(-lookBack);
    const last = dates?.at(-1);
    const given = {history: Float32Array.from(history.flat())};
    if (inputs.time) given.time = Int32Array.of(count(last, facts.frequency[0]));
    if (inputs.series) given.series = Int32Array.of(number);
    const run = () => model.run('serve', given);
    const flat = (await run()).forecast;
    const at = (row, target) => levels.map(
      (_, k) => flat[(row * facts.num_targets + target) * levels.length + k]);
    const found = Array.from({length: horizon}, (_, row) => Array.from(
      {length: facts.num_targets}, (_, target) => at(row, target)));
    const next = dates ? datesAfter(last, ...facts.frequency, horizon).map(shown)
      : found.map((_, row) => `${row + 1}`);
    return {history, found, next, last: dates && shown(last), time: await latency(run)};
  }

  let result;
  function draw() {
    const target = Number(column.value);
    const past = result.history.slice(-3 * horizon).map((row) => row[target]);
    const future = result.found.map((row) => row[target]);
    const name = facts.columns[target];
    replace('chart', [drawForecast(past, future, middle(facts.quantiles), name)]);
    document.getElementById('caption').textContent = caption(facts, name, result.last);
    const head = ['', ...levels.map((x) => (x === null ? name : `${+(100 * x).toFixed(2)} %`))];
    document.getElementById('next').hidden = false;
    replace('rows', [line('th', head), ...future.map((values, row) => line(
      'td', [result.next[row], ...values.map((x) => Number(x.toPrecision(5)))]))]);
  }

  async function show() {
    result = await forecast(box.value, Number(series.value));
    draw();
    tell(`Forecast in ${milliseconds(result.time)} on this device.`);
  }

  column.onchange = draw;
  series.onchange = guard(show);
  tell('Enter a table.');
  await followText(box, page.samples, guard(show), (sample) => {
    series.value = sample.series;
  });
  return {...model, forecast};
});

/** The place of the median, or of the only value. */
function middle(quantiles) {
  return quantiles.length ? quantiles.indexOf(0.5) : 0;
}

function caption(facts, name, last) {
  const [low, high] = [facts.quantiles[0], facts.quantiles.at(-1)];
  const interval = high > low
    ? `; the band holds ${Math.round(100 * (high - low))} % of the values` : '';
  return `${name}: what was${last ? `, up to ${last},` : ''} and what comes${interval}.`;
}

function line(tag, cells) {
  return element('tr', {}, ...cells.map((cell) => element(tag, {}, `${cell}`)));
}
