// The page of a segmenter: an image in, the colors of its classes over it out.
import {offerImages, paint} from './image_input.js';
import {element, milliseconds, percent, replace, size, start} from './interface.js';
import {decode, resize, withChannels} from './pixels.js';
import {loadModel, read} from './runtime.js';
import {inTiles} from './tiling.js';

const MAX_SIDE = 640;  // larger images would take minutes in tiles
const TITLES = {probabilities: 'Mask', edges: 'Edges',
  reconstruction: 'Reconstruction', target: 'Target'};
const EDGE_COLORS = ['#000000', '#e69f00'];

start(async ({tell, guard}) => {
  const [model, labels, page] = await Promise.all(
    [loadModel('model.tflite'), read('labels.json'), read('page.json')]);
  const [, height, width, channels] = model.inputs.serve.image;
  document.getElementById('size').textContent = size(model.bytes);
  const predict = (pixels) => model.run('serve', {image: pixels});

  /** The outputs for an image; of another size than the file's, in tiles. */
  async function segment(blob) {
    let image = withChannels(await decode(blob, MAX_SIDE), channels);
    if (width !== height) image = resize(image, width, height);
    const began = performance.now();
    const same = image.width === width && image.height === height;
    const maps = same ? await predict(image.data)
      : await inTiles(image, height, predict, progress);
    return {image, maps, time: performance.now() - began};
  }

  async function progress(done, all) {
    if (done % 8) return;
    tell(`Tile ${done} of ${all} …`);
    await new Promise((resolve) => { setTimeout(resolve); });  // lets the page paint
  }

  let latest;
  async function show(blob) {
    latest = blob;
    const {image, maps, time} = await segment(blob);
    if (blob !== latest) return;  // another one was chosen meanwhile
    const heads = Object.keys(TITLES).filter((name) => maps[name]);
    draw([['Image', image], ...heads.map((name) => [
      TITLES[name], picture(name, maps[name], image, page.colors)])]);
    if (maps.probabilities) legend(labels, page.colors, classes(maps.probabilities, image));
    tell(`${image.width} × ${image.height} pixels, segmented in ${milliseconds(time)} ` +
      'on this device.');
  }

  tell('Choose an image.');
  await offerImages(page.samples, show, guard);
  return {...model, segment};
});

/** What an output looks like: pixels of three channels. */
function picture(name, map, image, colors) {
  if (name === 'probabilities') return overlay(image, classes(map, image), colors);
  if (name === 'edges') return overlay(image, classes(map, image), EDGE_COLORS);
  const range = name === 'reconstruction' ? [-1, 1] : extent(map);
  return values(map, image, range);
}

/** The most probable class of each pixel. */
function classes(map, {width, height}) {
  const num = map.length / (width * height);
  return Uint8Array.from({length: width * height}, (_, pixel) => {
    let best = 0;
    for (let i = 1; i < num; i++) {
      if (map[pixel * num + i] > map[pixel * num + best]) best = i;
    }
    return best;
  });
}

/** Half the color of the class over the image, which class 0 leaves as it is. */
function overlay({width, height, channels, data}, mask, colors) {
  const table = colors.map((text) => [1, 3, 5].map(
    (at) => parseInt(text.slice(at, at + 2), 16)));
  const mixed = new Uint8Array(mask.length * 3);
  mask.forEach((number, pixel) => {
    for (let i = 0; i < 3; i++) {
      const value = data[pixel * channels + (channels === 1 ? 0 : i)];
      mixed[3 * pixel + i] = number ? (value + table[number][i]) / 2 : value;
    }
  });
  return {width, height, channels: 3, data: mixed};
}

function extent(map) {
  return map.reduce(([low, high], x) => [Math.min(low, x), Math.max(high, x)],
    [Infinity, -Infinity]);
}

function values(map, {width, height}, [low, high]) {
  const num = map.length / (width * height);
  const channels = num === 3 ? 3 : 1;
  const data = new Uint8ClampedArray(width * height * channels);
  for (let i = 0; i < data.length; i++) {
    const value = map[channels === 3 ? i : i * num];
    data[i] = 255 * (value - low) / (high - low || 1);
  }
  return {width, height, channels, data};
}

function draw(panels) {
  replace('panels', panels.map(([title, pixels]) => {
    const canvas = element('canvas', {role: 'img', ariaLabel: title});
    paint(canvas, pixels);
    return element('figure', {}, canvas, element('figcaption', {}, title));
  }));
}

/** The classes with their colors and fractions of the image. */
function legend(labels, colors, mask) {
  const counts = labels.map(() => 0);
  for (const number of mask) counts[number] += 1;
  replace('classes', labels.map((label, number) => {
    const color = element('span', {className: 'color'});
    if (number) color.style.background = colors[number];
    return element('li', {}, color, label, element(
      'span', {className: 'number'}, percent(counts[number] / mask.length)));
  }));
}
