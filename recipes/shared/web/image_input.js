// Ways to give an image: a sample, a chosen, dropped or pasted file.
import {element, offerSamples, press} from './interface.js';
import {read} from './runtime.js';

/**
 * Calls `show(blob)` for each image given; resolves when the first sample is shown.
 * `guard` makes a function that tells its errors.
 */
export async function offerImages(samples, show, guard) {
  const chooser = document.getElementById('chooser');
  const take = (files) => {
    const image = [...files].find((file) => file.type.startsWith('image/')) ?? files[0];
    if (!image) return;
    press(null);
    guard(show)(image);
  };
  chooser.addEventListener('change', () => {
    take(chooser.files);
    chooser.value = '';  // the same file may be chosen again
  });
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    take(event.dataTransfer.files);
  });
  addEventListener('paste', (event) => take(event.clipboardData.files));
  const thumbnail = (src, number) => element('img', {src, alt: `Sample ${number}`});
  const use = guard(async (name) => show(await read(name, 'blob')));
  await offerSamples(samples, thumbnail, use);
}

/** Paints pixels, {width, height, channels, data}, into a canvas. */
export function paint(canvas, {width, height, channels, data}) {
  const image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let i = 0; i < 3; i++) {
      image.data[4 * pixel + i] = data[pixel * channels + (channels === 1 ? 0 : i)];
    }
    image.data[4 * pixel + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.classList.toggle('coarse', Math.max(width, height) < 200);
  canvas.getContext('2d').putImageData(image, 0, 0);
}
