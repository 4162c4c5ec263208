// The page of a translator: a sentence in, its translations by beam search out.
import {
  element, followText, milliseconds, replace, size, start,
} from './interface.js';
import {latency, loadModel, read} from './runtime.js';
import {vocabularyOf} from './vocabularies.js';

start(async ({tell, guard}) => {
  const [model, vocabulary, page] = await Promise.all(
    [loadModel('model.tflite'), read('vocabulary.json'), read('page.json')]);
  const source = vocabularyOf(vocabulary);
  const target = vocabulary.target ? vocabularyOf(await read(vocabulary.target)) : source;
  const [, length] = model.inputs.beam.source;
  document.getElementById('size').textContent = size(model.bytes);

  /** The best translations of a sentence, [{text, score, tokens}]. */
  async function translate(sentence) {
    const ids = source.encode(sentence);
    if (!ids.length) return {found: [], ids};
    if (ids.length >= length) {
      throw new Error(`The sentence has ${ids.length} ${source.unit}s, the model takes at ` +
        `most ${length - 1}. Shorten it.`);
    }
    const row = new Int32Array(length);
    row.set([...ids, source.end]);
    const run = () => model.run('beam', {source: row});
    const {tokens, scores} = await run();
    const found = [...scores].map((score, i) => {
      const row = [...tokens.slice(i * tokens.length / scores.length,
        (i + 1) * tokens.length / scores.length)];
      return {text: target.decode(row), score, tokens: row};
    });
    return {found, ids, time: await latency(run)};
  }

  const unit = source.unit[0].toUpperCase() + source.unit.slice(1);
  document.getElementById('unit').textContent = `${unit}s`;
  const box = document.getElementById('source');
  async function show() {
    const output = document.getElementById('translation');
    const more = document.getElementById('more');
    output.textContent = '';
    more.hidden = true;
    const {found, ids, time} = await translate(box.value);
    output.textContent = found[0]?.text ?? '';
    list('others', found.slice(1).map(({text, score}) => [text, score.toFixed(2)]));
    list('subwords', source.pieces(ids).map((piece) => [piece]));
    more.hidden = !found.length;
    tell(found.length ? `Translated in ${milliseconds(time)} on this device.`
      : 'Enter a sentence.');
  }

  tell('Enter a sentence.');
  await followText(box, page.samples, guard(show));
  return {...model, vocabularies: {source, target}, translate};
});

function list(id, rows) {
  replace(id, rows.map((cells) => element(
    'li', {}, ...cells.map((text) => element('span', {}, text)))));
}
