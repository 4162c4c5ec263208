"""One file of `benchmarks.on_device` in a process of its own, checked and run.

It needs NumPy, and ai-edge-litert for a `.tflite` file or onnxruntime for a folder of
`.onnx` files.
"""

import pathlib

import numpy as np

from benchmarks import interleaved

START, END = 2, 3  # tokens


def load(path, signature, num_threads, xnnpack, arrays, tolerance):
    """Opens a file and compares what it computes.

    Args:
        path: Path of the file or folder.
        signature: Its signature; `greedy`, where a file has none, is a loop in Python
            over `encode` and `step`.
        num_threads: Threads of the runtime.
        xnnpack: Whether LiteRT may use XNNPACK.
        arrays: Path of an `.npz` file of `inputs/NAME` and `expected/NAME`.
        tolerance: Largest difference of an output, relative to its size where that is
            above 1; of tokens the fraction that differs. `None` for any.

    Raises:
        ValueError: If the difference is larger.
    """
    path = pathlib.Path(path)
    with np.load(arrays) as stored:
        inputs, expected = (
            {k.split("/")[1]: x for k, x in stored.items() if k.startswith(side)}
            for side in ("inputs/", "expected/")
        )
    if path.is_dir():
        signatures = _onnx(path, num_threads)
        inputs, expected = channels_first(inputs), channels_first(expected)
    else:
        signatures = _litert(path, num_threads, xnnpack)
    run = signatures.get(signature) or search(signatures, expected["tokens"].shape[1])
    outputs = run(inputs)
    difference = max(_difference(x, expected[name]) for name, x in outputs.items())
    if tolerance is not None and not difference <= tolerance:
        raise ValueError(f"differs from Keras by {difference:.2g}, not {tolerance:.2g}")

    def step():
        run(inputs)
        return 0.0  # there is no loss

    return lambda: step, {"max_abs_diff": difference}


def _litert(path, num_threads, xnnpack):
    from ai_edge_litert import interpreter as litert

    kinds = litert.OpResolverType
    kind = kinds.AUTO if xnnpack else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = litert.Interpreter(
        str(path), num_threads=num_threads, experimental_op_resolver_type=kind
    )

    def signature(name, keys):
        runner = interpreter.get_signature_runner(name)
        return lambda inputs: runner(**{key: inputs[key] for key in keys})

    made = interpreter.get_signature_list()
    return {name: signature(name, x["inputs"]) for name, x in made.items()}


def _onnx(path, num_threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = num_threads

    def signature(file):
        session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        keys = [x.name for x in session.get_inputs()]
        names = [x.name.removeprefix("out_") for x in session.get_outputs()]

        def run(inputs):
            feed = {key: inputs[key] for key in keys}
            return dict(zip(names, session.run(None, feed), strict=True))

        return run

    return {file.stem: signature(file) for file in path.glob("*.onnx")}


def search(signatures, max_length):
    """A greedy search in Python, as a host program does it."""

    def run(inputs):
        context, token, tokens = dict(signatures["encode"](inputs)), START, []
        while len(tokens) < max_length and token != END:
            outputs = signatures["step"](
                context | {"token": np.array([token], "int32")}
            )
            context |= {name: outputs[name] for name in ("state_0", "state_1")}
            token = int(outputs["logits"].argmax())
            tokens.append(token)
        return {"tokens": np.array([tokens + [0] * (max_length - len(tokens))])}

    return run


def channels_first(arrays):
    """Images as PyTorch has them, so that a file transposes none."""
    return {
        name: np.ascontiguousarray(np.moveaxis(x, -1, 1)) if x.ndim == 4 else x
        for name, x in arrays.items()
    }


def _difference(found, expected):
    if expected.dtype.kind == "i":
        return float(np.mean(found != expected))
    return float(np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected))))


if __name__ == "__main__":
    interleaved.serve(load)
