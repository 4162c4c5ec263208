// The page of a text classifier: a text in, its most probable classes out.
import {
  element, followText, milliseconds, percent, replace, size, start,
} from './interface.js';
import {latency, loadModel, read} from './runtime.js';
import {Words} from './words.js';

const SHOWN = 5;

start(async ({tell, guard}) => {
  const [model, labels, vocabulary, page] = await Promise.all([
    loadModel('model.tflite'), read('labels.json'), read('vocabulary.json'),
    read('page.json')]);
  const words = new Words(vocabulary);
  const [, length] = model.inputs.serve.tokens;
  describe(model, labels);

  /** Probabilities, the words that were read, and with attention their weights. */
  async function classify(text) {
    const tokens = new Int32Array(length);
    const ids = words.encode(text).slice(0, length);
    if (!ids.length) return {read: []};
    tokens.set(ids);
    const run = () => model.run('serve', {tokens});
    const outputs = await run();
    return {...outputs, read: words.split(text).slice(0, length),
      time: await latency(run)};
  }

  const box = document.getElementById('text');
  async function show() {
    const {probabilities, attention, read, time} = await classify(box.value);
    list(labels, probabilities ?? []);
    mark(read, attention);
    tell(read.length ? `Classified in ${milliseconds(time)} on this device.`
      : 'Enter a text.');
  }

  tell('Enter a text.');
  await followText(box, page.samples, guard(show));
  return {...model, words, classify};
});

function describe(model, labels) {
  const named = labels.slice(0, 12).join(', ') + (labels.length > 12 ? ', …' : '');
  document.getElementById('about').textContent =
    `Tells ${labels.length} classes of texts apart while you write: ${named}.`;
  document.getElementById('size').textContent = size(model.bytes);
}

/** Bars of the most probable classes, the best one first. */
function list(labels, probabilities) {
  const order = [...probabilities.keys()].sort(
    (a, b) => probabilities[b] - probabilities[a]);
  replace('classes', order.slice(0, SHOWN).map((number) => {
    const bar = element('span', {className: 'bar'});
    bar.style.setProperty('--fraction', probabilities[number]);
    return element('li', {}, element('span', {}, labels[number]), bar,
      element('span', {className: 'number'}, percent(probabilities[number])));
  }));
}

/** The words that were read, darker where the model's attention is. */
function mark(words, attention) {
  document.getElementById('more').hidden = !words.length;
  document.getElementById('heading').textContent =
    attention ? 'Words, colored by attention' : 'Words';
  const most = Math.max(...(attention ?? [1]), 1e-9);
  replace('words', words.map((word, place) => {
    const item = element('li', {}, word);
    const share = attention ? Math.round(60 * attention[place] / most) : 0;
    item.style.background = `color-mix(in srgb, var(--accent) ${share}%, var(--tile))`;
    return item;
  }));
}
