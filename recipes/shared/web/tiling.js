// A large image in overlapping tiles, as kerasseq.tiling blends them ("smooth").

const STRIDE = 16;  // tiles lie at multiples of it, as in recipes/segment_file.py

/**
 * Runs `predict` on square tiles of an image and joins its outputs.
 *
 * `predict` takes the pixels of a tile and gives flat maps by name. `onTile(done, all)`
 * is told of the progress.
 */
export async function inTiles(image, tile, predict, onTile) {
  const stride = Math.min(STRIDE, tile & -tile);
  const overlap = Math.min(halfEven(tile / stride / 2), tile / stride - 1) * stride;
  const rows = places(image.height, tile, tile - overlap, stride);
  const columns = places(image.width, tile, tile - overlap, stride);
  const joined = {};
  let done = 0;
  for (const row of rows) {
    for (const column of columns) {
      const maps = await predict(cut(image, row.first, column.first, tile));
      for (const [name, map] of Object.entries(maps)) {
        const channels = map.length / tile ** 2;
        joined[name] ??= new Float32Array(image.width * image.height * channels);
        add(joined[name], map, image, row, column, tile, channels);
      }
      await onTile(++done, rows.length * columns.length);
    }
  }
  return joined;
}

function halfEven(number) {  // as Python rounds
  return number % 1 === 0.5 ? 2 * Math.round(number / 2) : Math.round(number);
}

/** Where tiles begin along an axis, and their weights, which add up to 1. */
function places(size, tile, step, stride) {
  const last = Math.max(tile, Math.ceil(size / stride) * stride) - tile;
  const firsts = [];
  for (let first = 0; first < last; first += step) firsts.push(first);
  firsts.push(last);
  const falling = Array.from({length: tile}, (_, i) => Math.min(i + 1, tile - i));
  const total = new Float64Array(last + tile);
  for (const first of firsts) falling.forEach((x, i) => { total[first + i] += x; });
  return firsts.map((first) => ({
    first, weights: Float32Array.from(falling, (x, i) => x / total[first + i])}));
}

/** A tile; beyond the image it is continued by reflection. */
function cut({width, height, channels, data}, top, left, tile) {
  const pixels = new Uint8Array(tile * tile * channels);
  const rows = Math.min(tile, height - top), columns = Math.min(tile, width - left);
  for (let row = 0, to = 0; row < tile; row++) {
    const line = (top + reflected(row, rows)) * width;
    for (let column = 0; column < tile; column++) {
      const from = (line + left + reflected(column, columns)) * channels;
      for (let i = 0; i < channels; i++) pixels[to++] = data[from + i];
    }
  }
  return pixels;
}

function reflected(index, size) {
  const period = Math.max(1, 2 * (size - 1)), place = index % period;
  return Math.min(place, period - place);
}

function add(sum, map, {width, height}, row, column, tile, channels) {
  const bottom = Math.min(tile, height - row.first);
  const right = Math.min(tile, width - column.first);
  for (let y = 0; y < bottom; y++) {
    for (let x = 0; x < right; x++) {
      const weight = row.weights[y] * column.weights[x];
      const to = ((row.first + y) * width + column.first + x) * channels;
      const from = (y * tile + x) * channels;
      for (let i = 0; i < channels; i++) sum[to + i] += weight * map[from + i];
    }
  }
}
