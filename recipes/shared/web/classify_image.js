// The page of an image classifier: an image in, its most probable classes out.
import {offerImages, paint} from './image_input.js';
import {element, milliseconds, percent, replace, size, start} from './interface.js';
import {decode, resize, withChannels} from './pixels.js';
import {latency, loadModel, read} from './runtime.js';

const SHOWN = 5;

start(async ({tell, guard}) => {
  const [model, labels, page] = await Promise.all(
    [loadModel('model.tflite'), read('labels.json'), read('page.json')]);
  const [, height, width, channels] = model.inputs.serve.image;
  describe(model, labels);

  async function classify(blob) {
    const image = withChannels(await decode(blob), channels);
    const fitted = resize(image, width, height);
    const run = () => model.run('serve', {image: fitted.data});
    const {probabilities} = await run();
    return {image, probabilities, time: await latency(run)};
  }

  async function show(blob) {
    const {image, probabilities, time} = await classify(blob);
    paint(document.getElementById('picture'), image);
    list(labels, probabilities);
    tell(`Classified in ${milliseconds(time)} on this device.`);
  }

  tell('Choose an image.');
  await offerImages(page.samples, show, guard);
  return {...model, classify};
});

function describe(model, labels) {
  const named = labels.slice(0, 12).join(', ') + (labels.length > 12 ? ', …' : '');
  document.getElementById('about').textContent =
    `Tells ${labels.length} classes apart: ${named}.`;
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
