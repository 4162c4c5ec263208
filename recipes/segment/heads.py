"""The heads of a segmenter: what each learns, from which loss, by which score.

`mask` and `edges` tell classes, `reconstruction` and `target` regress values.
"""

import kerasseq

HEADS = {
    "mask": "the classes of the masks",
    "edges": "whether a pixel lies at the border of two classes, from the masks",
    "image": "the input itself, -1 to 1: an auto-encoder",
    "target": "the values in targets/, for image-to-image regression",
}
CLASS_HEADS = ("mask", "edges")
FILE_NAMES = {"mask": "probabilities"}  # in the exported file
LOSSES = ("cross_entropy", "focal", "dice", "jaccard")


def names(flags):
    """The heads that the flags ask for, a list.

    The head of `image` is `reconstruction`, to tell it from the input.

    Raises:
        ValueError: for unknown names, or heads that do not go together.
    """
    heads = [name.strip() for name in flags.heads.split(",")]
    if not set(heads) <= HEADS.keys() or len(set(heads)) < len(heads):
        raise ValueError(
            f"--heads lists one or more of {', '.join(HEADS)}, each once, separated "
            f"by commas. Received: --heads={flags.heads}"
        )
    if "target" in heads and not {*heads} <= {"image", "target"}:
        raise ValueError(
            "The head `target` learns from targets/ and not from masks/: leave `mask` "
            f"and `edges` out. Received: --heads={flags.heads}"
        )
    return ["reconstruction" if name == "image" else name for name in heads]


def check(flags):
    """Refuses heads, losses and weights that do not go together.

    Raises:
        ValueError: naming the flag.
    """
    heads, parts = names(flags), flags.loss.split("+")
    if not {*parts} <= {*LOSSES} or len({*parts}) < len(parts):
        raise ValueError(
            f"--loss is one of {', '.join(LOSSES)}, or a sum of them such as "
            f"cross_entropy+dice. Received: --loss={flags.loss}"
        )
    for flag in ("class_weights", "boundary_weights"):
        if flags[flag].value and "mask" not in heads:
            raise ValueError(
                f"--{flag} weighs the pixels of the head `mask`. "
                f"Received: --heads={flags.heads}"
            )
    weighted = {*parts} & {"cross_entropy", "focal"} or flags.boundary_weights
    if flags.class_weights and not weighted:
        raise ValueError(
            "--class_weights goes with cross_entropy or focal; dice and jaccard "
            f"balance classes anyway. Received: --loss={flags.loss}"
        )


def outputs(flags):
    """The outputs of the model in training, `{name: head}`.

    With deep supervision `mask_2`, `mask_4`, ... stand beside `mask`.
    """
    heads = names(flags)
    found = {name: name for name in heads}
    if flags.deep_supervision:
        scales = [2**level for level in range(1, flags.depth)]
        found |= {f"{name}_{scale}": name for scale in scales for name in heads}
    return found


def channels(flags, data):
    """Channels of each head, `{head: channels}`; of class heads their classes."""
    images, targets = data.train
    found = {"mask": len(data.class_names), "edges": 2}
    found["reconstruction"] = images.shape[-1]
    if "target" in names(flags):
        found["target"] = targets.shape[-1]
    return {name: found[name] for name in names(flags)}


def compile_options(flags, data):
    """Losses, their weights and the metrics, as arguments of `Model.compile`.

    A coarser output counts the less the coarser it is, half at half the size.
    """
    classes, found = channels(flags, data), outputs(flags)
    factor = {name: int(name.partition("_")[2] or 1) for name in found}
    return {
        "loss": {name: _loss(flags, head, data) for name, head in found.items()},
        "loss_weights": {name: 1 / factor[name] for name in found},
        "weighted_metrics": {
            name: _metrics(name, classes[name], data.ignore_class)
            for name in names(flags)
        },
    }


def monitor(flags, data):
    """The validation score that chooses the epoch, and which of it is better."""
    first = names(flags)[0]
    classes = channels(flags, data)[first]
    score = _metrics(first, classes, None)[0].name
    prefix = f"{first}_" if len(outputs(flags)) > 1 else ""
    return f"val_{prefix}{score}", "max" if first in CLASS_HEADS else "min"


def inference_model(model, flags, scale):
    """The trained model with its full-size heads alone, by name.

    Args:
        model: The model as it was trained.
        flags: The flags.
        scale: `(mean, deviation)` of the targets, which `target` gets back.

    Returns:
        A functional `keras.Model` that shares the weights.
    """
    import keras

    tensors = {name: model.output[name] for name in names(flags)}
    if "target" in tensors:
        rescale = keras.layers.Rescaling(scale[1], scale[0], name="target_scale")
        tensors["target"] = rescale(tensors["target"])
    return keras.Model(model.input, tensors, name=model.name)


def signature(model):
    """The signature `serve` of the file, with the mask's classes as `probabilities`."""
    heads = [*model.output]
    make = kerasseq.export.image_signature(
        tuple(model.input.shape[1:]),
        softmax=tuple(name for name in heads if name in CLASS_HEADS),
    )

    def signatures(twin):
        serve, specs = make(twin)["serve"]

        def renamed(image):
            outputs = serve(image)
            return {FILE_NAMES.get(name, name): outputs[name] for name in heads}

        return {"serve": (renamed, specs)}

    return signatures


def classes(outputs):
    """Outputs of the model or of a file by head, class numbers for class heads."""
    heads = {name: head for head, name in FILE_NAMES.items()}
    outputs = {heads.get(name, name): x for name, x in outputs.items()}
    return {
        head: x.argmax(axis=-1).astype("int32") if head in CLASS_HEADS else x
        for head, x in outputs.items()
    }


def _metrics(head, num_classes, ignore_class):
    import keras

    training = kerasseq.training
    if head not in CLASS_HEADS:
        return [keras.metrics.MeanSquaredError("squared_error")]
    if num_classes > 2:
        return [training.MeanIoU(num_classes, ignore_class)]
    return [training.MeanIoU(2, ignore_class, class_index=1, name="iou")]


def _loss(flags, head, data):
    import keras

    if head not in CLASS_HEADS:
        kinds = {
            "squared": keras.losses.MeanSquaredError,
            "absolute": keras.losses.MeanAbsoluteError,
        }
        return kinds[flags.value_loss](reduction="mean_with_sample_weight")
    alpha = _alpha(flags, data) if head == "mask" else None
    options = {"ignore_class": data.ignore_class}
    make = {
        "cross_entropy": lambda: kerasseq.training.FocalLoss(0.0, alpha, **options),
        "focal": lambda: kerasseq.training.FocalLoss(2.0, alpha, **options),
        "dice": lambda: kerasseq.training.DiceLoss(**options),
        "jaccard": lambda: kerasseq.training.SoftJaccard(**options),
    }
    parts = [make[name]() for name in flags.loss.split("+")]
    return parts[0] if len(parts) == 1 else kerasseq.training.SumOfLosses(parts)


def _alpha(flags, data):
    """Weights of the classes; boundary weights hold them already."""
    if not flags.class_weights or flags.boundary_weights:
        return None
    weights = kerasseq.data.class_weights(data.train[1], data.ignore_class)
    return [weights.get(number, 0.0) for number in range(len(data.class_names))]
