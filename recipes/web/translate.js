// The page of a translator: a sentence in, its translations by beam search out.
import {latency, loadModel, megabytes, milliseconds, read, start} from './runtime.js';
import {Subwords} from './subwords.js';

start(async ({tell, guard}) => {
  const [model, vocabulary, page] = await Promise.all(
    [loadModel('model.tflite'), read('vocabulary.json'), read('page.json')]);
  const subwords = new Subwords(vocabulary);
  const [, length] = model.inputs.beam.source;
  document.getElementById('size').textContent = megabytes(model.bytes);

  /** The best translations of a sentence, [{text, score, tokens}]. */
  async function translate(sentence) {
    const ids = subwords.encode(sentence);
    if (!ids.length) return {found: [], ids};
    if (ids.length >= length) {
      throw new Error(`The sentence has ${ids.length} subwords, the model takes at ` +
        `most ${length - 1}. Shorten it.`);
    }
    const source = new Int32Array(length);
    source.set([...ids, vocabulary.end]);
    const run = () => model.run('beam', {source});
    const {tokens, scores} = await run();
    const found = [...scores].map((score, i) => {
      const row = [...tokens.slice(i * tokens.length / scores.length,
        (i + 1) * tokens.length / scores.length)];
      return {text: subwords.decode(row), score, tokens: row};
    });
    return {found, ids, time: await latency(run)};
  }

  const box = document.getElementById('source');
  async function show() {
    const {found, ids, time} = await translate(box.value);
    document.getElementById('translation').textContent = found[0]?.text ?? '';
    list('others', found.slice(1).map(({text, score}) => [text, score.toFixed(2)]));
    list('subwords', ids.map((id) => [vocabulary.pieces[id]]));
    document.getElementById('more').hidden = !found.length;
    tell(found.length ? `${milliseconds(time)} on this device.` : 'Enter a sentence.');
  }

  const guarded = guard(show);
  let waiting;
  box.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(guarded, 200);
  });
  offerSentences(page.samples, (sentence) => {
    box.value = sentence;
    return guarded();
  });
  if (!box.value) box.value = page.samples[0] ?? '';
  await guarded();
  return {...model, subwords, translate};
});

function offerSentences(sentences, show) {
  const buttons = sentences.map((sentence) => {
    const button = document.createElement('button');
    button.textContent = sentence;
    button.addEventListener('click', () => show(sentence));
    return button;
  });
  document.getElementById('samples').replaceChildren(...buttons);
}

function list(id, rows) {
  document.getElementById(id).replaceChildren(...rows.map((cells) => {
    const row = document.createElement('li');
    for (const text of cells) {
      row.appendChild(document.createElement('span')).textContent = text;
    }
    return row;
  }));
}
