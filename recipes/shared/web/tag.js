// The page of a tagger: a sentence in, a tag for each of its words out.
import {
  element, followText, milliseconds, replace, size, start,
} from './interface.js';
import {latency, loadModel, read} from './runtime.js';
import {WordFeatures} from './word_features.js';
import {split} from './words.js';

start(async ({tell, guard}) => {
  const [model, vocabulary, page] = await Promise.all(
    [loadModel('model.tflite'), read('vocabulary.json'), read('page.json')]);
  const features = new WordFeatures(vocabulary);
  const [, length] = model.inputs.tag.words;
  document.getElementById('about').textContent =
    `Gives each word of a sentence one of ${vocabulary.tags.length} tags.`;
  document.getElementById('size').textContent = size(model.bytes);

  /** The words of a sentence with their tags and probabilities. */
  async function tag(sentence) {
    const words = split(sentence);
    if (!words.length) return {found: []};
    if (words.length > length) {
      throw new Error(`The sentence has ${words.length} words, the model takes at ` +
        `most ${length}. Shorten it.`);
    }
    const inputs = features.encode(words, length);
    const run = () => model.run('tag', inputs);
    const {tags, scores} = await run();
    const found = words.map((word, place) => ({
      word, tag: vocabulary.tags[tags[place]], score: scores[place],
    }));
    return {found, time: await latency(run)};
  }

  const box = document.getElementById('text');
  async function show() {
    const {found, time} = await tag(box.value);
    replace('words', found.map(({word, tag, score}) => element(
      'li', {title: score.toFixed(2)}, word, element('small', {}, ` ${tag}`))));
    tell(found.length ? `Tagged in ${milliseconds(time)} on this device.`
      : 'Enter a sentence.');
  }

  tell('Enter a sentence.');
  await followText(box, page.samples, guard(show));
  return {...model, features, tag};
});
