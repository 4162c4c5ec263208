"""Which loop strategy suits a model best: as a loop, as fused LSTMs, unrolled."""

import os
from collections.abc import Sequence

import keras

from kerasseq import ops
from kerasseq.export import converter, parity
from kerasseq.export import settings as settings_lib
from kerasseq.export import traced_variants as variants_lib
from kerasseq.lite import benchmark

LOOP_STRATEGIES = ("auto", "fused", "while", "unrolled")

# Longer loops take minutes to convert when unrolled and never pass the bound on the
# size below: an unrolled step takes 0.25 to 4 KB of the file.
_MAX_UNROLLED_STEPS = 64
_MAX_INT8_STEPS = 512
# The runtime packs a copy of the weights for each unrolled step. Beyond the caches
# these come from memory each time, which a test that runs nothing else does not show.
_MAX_PACKED_BYTES = 8 * 2**20
# `auto` takes no file larger than stock Keras' loop would be, which holds a buffer of
# zeros for the outputs; ours does not.
_MAX_SIZE_RATIO = 1.01


def check(loop_strategy: str) -> None:
    """Checks the name of a loop strategy.

    Args:
        loop_strategy: One of `LOOP_STRATEGIES`.

    Raises:
        ValueError: If it is another.
    """
    if loop_strategy not in LOOP_STRATEGIES:
        raise ValueError(
            f"`loop_strategy` must be one of {LOOP_STRATEGIES}. "
            f"Received: loop_strategy={loop_strategy!r}"
        )


def check_padding(
    variants: variants_lib.TracedVariants, settings: settings_lib.Settings
) -> None:
    """Raises if fused LSTMs compute something else on the samples.

    Args:
        variants: `traced_variants.TracedVariants`.
        settings: `settings.Settings`.

    Raises:
        ValueError: The message says which mask is not padded on the right, if one is.
    """
    if not variants.num_masked:
        return
    figures = parity.compare(
        variants.run("while"), variants.run("fused"), settings.samples
    )
    try:
        settings.check(figures, "The model with fused LSTMs")
    except ValueError:
        with ops.loop_strategy("fused"):  # eagerly, where the masks have values
            for name, samples in settings.samples.items():
                for inputs in samples:
                    tensors = {
                        key: keras.ops.convert_to_tensor(x) for key, x in inputs.items()
                    }
                    variants.reference[name].function(**tensors)
        raise


def takes_fused(
    variants: variants_lib.TracedVariants, settings: settings_lib.Settings
) -> bool:
    """Whether a model has fusible LSTMs, and samples padded as they need.

    Args:
        variants: `traced_variants.TracedVariants`.
        settings: `settings.Settings`.

    Returns:
        A boolean.
    """
    if not variants.num_fusible:
        return False
    try:
        check_padding(variants, settings)
    except ValueError:
        return False
    return True


def candidates(
    variants: variants_lib.TracedVariants,
    loop_strategy: str,
    settings: settings_lib.Settings,
) -> list[str]:
    """The loop strategies to try.

    Args:
        variants: `traced_variants.TracedVariants`.
        loop_strategy: One of `LOOP_STRATEGIES`.
        settings: `settings.Settings`.

    Returns:
        A list of names; the first of them is the one that always works.

    Raises:
        ValueError: If `"fused"` is asked for and a sample's mask is not padded on
            the right.
    """
    if loop_strategy == "fused":
        check_padding(variants, settings)
    if loop_strategy != "auto":
        return [loop_strategy]
    names = ["while"]
    if takes_fused(variants, settings):
        names.append("fused")
    packed = variants.num_steps * variants.weight_bytes
    if 0 < variants.num_steps <= _MAX_UNROLLED_STEPS and packed <= _MAX_PACKED_BYTES:
        names.append("unrolled")
    return names


def choose(
    variants: variants_lib.TracedVariants,
    names: Sequence[str],
    settings: settings_lib.Settings,
) -> tuple[str, dict[str, dict]]:
    """Converts the candidates, and measures them if there are several.

    Args:
        variants: `traced_variants.TracedVariants`.
        names: From `candidates`.
        settings: `settings.Settings`.

    Returns:
        `(name, measured)`: the fastest candidate that is not much larger than the
        first, and `{name: {"latency_ms", "bytes"}}`, empty if there was no choice.

    Raises:
        ValueError: If the model needs ops that are no builtins.
        RuntimeError: If a child process crashes.
    """
    paths = [variants.tflite(name) for name in names]
    signatures = list(variants.reference)
    converter.convert(
        variants.front_end,
        [
            converter.Job(variants.source(name), path, signatures)
            for name, path in zip(names, paths, strict=True)
        ],
        variants.layers,
        settings.time_limit,
    )
    if len(names) == 1:
        return names[0], {}
    results = benchmark.interleaved(
        paths, settings.timed, time_limit=settings.time_limit
    )
    measured = {
        name: {
            "latency_ms": result["latency_ms_by_signature"][settings.main_signature],
            "bytes": os.path.getsize(path),
        }
        for name, path, result in zip(names, paths, results, strict=True)
    }
    max_bytes = measured[names[0]]["bytes"] * _MAX_SIZE_RATIO + variants.buffer_bytes
    allowed = [name for name in names if measured[name]["bytes"] <= max_bytes]
    return min(allowed, key=lambda name: measured[name]["latency_ms"]), measured


def for_precision(
    variants: variants_lib.TracedVariants,
    precision: str,
    chosen: str,
    settings: settings_lib.Settings,
) -> str:
    """The loop strategy of a quantized file.

    The converter has no int8 loops: LSTMs become one op each, where the quantizer takes
    it, and all other loops are unrolled. `"dynamic"` fuses LSTMs too, for speed.

    Args:
        variants: `traced_variants.TracedVariants`.
        precision: `"float16"`, `"dynamic"`, `"int4"` or `"int8"`.
        chosen: The loop strategy of the float32 file.
        settings: `settings.Settings`.

    Returns:
        Name of the loop strategy.

    Raises:
        ValueError: If too many steps would have to be unrolled.
    """
    if precision == "float16" or not variants.num_steps:
        return chosen
    fused = variants.front_end.quantizes_lstms and takes_fused(variants, settings)
    if precision in ("dynamic", "int4"):
        return "fused" if fused else "while"
    strategy = "loopless" if fused else "unrolled"
    steps = variants.counts(strategy).num_steps
    if steps > _MAX_INT8_STEPS:
        raise ValueError(
            "The converter has no int8 loops, and this model has too many time steps "
            f"to unroll them all (at most {_MAX_INT8_STEPS}). Use LSTMs that do "
            "not return their states and masks padded on the right, shorter inputs, "
            f'or quantize=["dynamic"]. Received: {steps} steps in all loops'
        )
    return strategy
