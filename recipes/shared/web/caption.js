// The page of a captioner: an image in, sentences about it by beam search out.
import {offerImages, paint} from './image_input.js';
import {element, milliseconds, replace, size, start} from './interface.js';
import {decode, resize, withChannels} from './pixels.js';
import {latency, loadModel, read} from './runtime.js';
import {SentenceWords} from './sentence_words.js';

start(async ({tell, guard}) => {
  const [model, vocabulary, page] = await Promise.all(
    [loadModel('model.tflite'), read('vocabulary.json'), read('page.json')]);
  const words = new SentenceWords(vocabulary);
  const [, height, width, channels] = model.inputs.beam.image;
  document.getElementById('size').textContent = size(model.bytes);

  /** The best captions of an image, [{text, score}]. */
  async function describe(blob) {
    const image = withChannels(await decode(blob), channels);
    const fitted = resize(image, width, height);
    const run = () => model.run('beam', {image: fitted.data});
    const {tokens, scores} = await run();
    const length = tokens.length / scores.length;
    const found = [...scores].map((score, i) => {
      const row = [...tokens.slice(i * length, (i + 1) * length)];
      return {text: words.decode(row), score};
    });
    return {image, found, time: await latency(run)};
  }

  async function show(blob) {
    const {image, found, time} = await describe(blob);
    paint(document.getElementById('picture'), image);
    document.getElementById('caption').textContent = found[0].text;
    replace('others', found.slice(1).map(({text, score}) => element('li', {},
      element('span', {}, text), element('span', {}, score.toFixed(2)))));
    document.getElementById('more').hidden = found.length < 2;
    tell(`Described in ${milliseconds(time)} on this device.`);
  }

  tell('Choose an image.');
  await offerImages(page.samples, show, guard);
  return {...model, words, describe};
});
