// Image files as the model wants them, with the numbers that Pillow gives in Python
// (give or take 1 where the height shrinks more: Pillow 13 then takes columns first).

const LARGEST = 4096;  // a canvas of some phones holds no more
const PRECISION = 2 ** 22;  // of Pillow's weights, which are whole numbers

/** Decodes a file (or blob) to {width, height, data}, RGBA on white. */
export async function decode(blob, maxSide = LARGEST) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, {colorSpaceConversion: 'none'});
  } catch {
    throw new Error(`${blob.name ?? 'This'} is no image that the browser can read.`);
  }
  const scale = Math.min(1, maxSide / Math.max(bitmap.width, bitmap.height));
  const width = Math.max(1, Math.round(bitmap.width * scale));
  const height = Math.max(1, Math.round(bitmap.height * scale));
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.fillStyle = 'white';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = 'high';
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  return context.getImageData(0, 0, width, height);
}

/** The image with 1 channel (gray) or 3 (RGB): {width, height, channels, data}. */
export function withChannels({width, height, data}, channels) {
  const pixels = new Uint8Array(width * height * channels);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    const [red, green, blue] = [data[from], data[from + 1], data[from + 2]];
    if (channels === 1) {
      pixels[to++] = (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
    } else {
      pixels[to++] = red;
      pixels[to++] = green;
      pixels[to++] = blue;
    }
  }
  return {width, height, channels, data: pixels};
}

/** Resizes bilinearly with antialias, as Pillow: first the rows, then the columns. */
export function resize(image, width, height) {
  return turned(withWidth(turned(withWidth(image, width)), height));
}

function withWidth({width, height, channels, data}, newWidth) {
  const windows = weightsOf(width, newWidth);
  const resized = new Uint8Array(newWidth * height * channels);
  let to = 0;
  for (let row = 0; row < height; row++) {
    for (const {first, weights} of windows) {
      const from = (row * width + first) * channels;
      for (let channel = 0; channel < channels; channel++, to++) {
        let sum = PRECISION / 2;
        for (let i = 0; i < weights.length; i++) {
          sum += weights[i] * data[from + i * channels + channel];
        }
        resized[to] = sum / PRECISION;
      }
    }
  }
  return {width: newWidth, height, channels, data: resized};
}

/** For each new pixel the first old one that it is made of, and their weights. */
function weightsOf(size, newSize) {
  const scale = size / newSize, radius = Math.max(scale, 1);
  return Array.from({length: newSize}, (_, index) => {
    const center = (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - radius + 0.5));
    const end = Math.min(size, Math.trunc(center + radius + 0.5));
    const raw = Array.from({length: end - first}, (_, i) =>
      Math.max(0, 1 - Math.abs((i + first - center + 0.5) / radius)));
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    return {first, weights: raw.map(
      (weight) => Math.trunc(0.5 + weight / total * PRECISION))};
  });
}

function turned({width, height, channels, data}) {
  const result = new Uint8Array(data.length);
  for (let row = 0, from = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < channels; channel++) {
        result[(column * height + row) * channels + channel] = data[from++];
      }
    }
  }
  return {width: height, height: width, channels, data: result};
}
