// Runs the signatures of a .tflite file with LiteRT.js, on the CPU.
import {loadAndCompile, loadLiteRt, Tensor} from '@litertjs/core';

const ARRAYS = {float32: Float32Array, int32: Int32Array, uint8: Uint8Array};

/** What a page reads beside the model: `kind` is 'json', 'blob' or 'arrayBuffer'. */
export async function read(name, kind = 'json') {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name} is missing (${response.status}).`);
  return response[kind]();
}

/**
 * Loads the library and a file.
 *
 * The result's `run(signature, inputs)` takes a flat array for each input and gives
 * one for each output; `inputs` and `outputs` tell their shapes by signature.
 */
export async function loadModel(name) {
  const [bytes] = await Promise.all([
    read(name, 'arrayBuffer'), loadLiteRt('./litert/core/wasm/')]);
  const {signatures} = await loadAndCompile(
    new Uint8Array(bytes), {accelerator: 'wasm'});
  const shapes = (details) => Object.fromEntries(
    details.map(({name, shape}) => [name, [...shape]]));
  const table = (details) => Object.fromEntries(Object.entries(signatures).map(
    ([key, signature]) => [key, shapes(details(signature))]));
  return {
    bytes: bytes.byteLength,
    inputs: table((signature) => signature.getInputDetails()),
    outputs: table((signature) => signature.getOutputDetails()),
    run: (key, inputs) => run(signatures[key], inputs),
  };
}

async function run(signature, inputs) {
  const tensors = {};
  let outputs = {};
  try {
    for (const {name, dtype, shape} of signature.getInputDetails()) {
      if (!inputs[name]) throw new Error(`The input '${name}' is missing.`);
      tensors[name] = new Tensor(ARRAYS[dtype].from(inputs[name]), [...shape]);
    }
    outputs = await signature.run(tensors);
    return Object.fromEntries(Object.entries(outputs).map(
      ([name, tensor]) => [name, tensor.toTypedArray()]));
  } finally {  // LiteRT.js frees nothing by itself.
    for (const tensor of Object.values({...tensors, ...outputs})) tensor.delete();
  }
}

/** Milliseconds of a call, the mean of as many as fit into a moment. */
export async function latency(call) {
  const began = performance.now();
  let count = 0, passed = 0;
  while (passed < 20 && count < 50) {
    await call();
    count += 1;
    passed = performance.now() - began;
  }
  return passed / count;
}
