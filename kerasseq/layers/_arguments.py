"""Constructor arguments: stated once, in the signature of the class, and checked."""

import inspect

# What any `keras.layers.Layer` takes.
_OF_A_LAYER = ("name", "dtype", "trainable", "activity_regularizer", "autocast")


def names(layer_class):
    """Names of the arguments that the constructor of a class spells out."""
    return list(_parameters(layer_class))


def defaults(layer_class):
    """`{name: value}` of those that have a default."""
    parameters = _parameters(layer_class).values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def assign(layer, layer_class, values):
    """Makes each constructor argument an attribute of the same name.

    Args:
        layer: The object.
        layer_class: The class whose constructor this is.
        values: `locals()` of the constructor.
    """
    for name in names(layer_class):
        setattr(layer, name, values[name])


def config(layer, layer_class):
    """What `assign` has kept, for `get_config`."""
    return {name: getattr(layer, name) for name in names(layer_class)}


def split(kwargs):
    """Parts keyword arguments into those of any layer and all others."""
    layer = {name: x for name, x in kwargs.items() if name in _OF_A_LAYER}
    return layer, {name: x for name, x in kwargs.items() if name not in _OF_A_LAYER}


def check_choice(name, value, choices):
    """Refuses a name that is none of the choices."""
    if value not in choices:
        raise ValueError(
            f"`{name}` must be one of {list(choices)}. Received: {name}={value!r}"
        )


def check_rates(**rates):
    """Refuses rates of dropout outside [0, 1)."""
    if not all(0 <= rate < 1 for rate in rates.values()):
        _refuse(rates, "must be in [0, 1)")


def check_positive(**sizes):
    """Refuses sizes below 1."""
    if min(sizes.values()) < 1:
        kind = "positive integers" if len(sizes) > 1 else "a positive integer"
        _refuse(sizes, f"must be {kind}")


def head_size(width, limit=64):
    """The largest size up to a limit of heads that part a width into equal ones."""
    return max(k for k in range(1, min(width, limit) + 1) if width % k == 0)


def _refuse(values, what):
    names = " and ".join(f"`{name}`" for name in values)
    given = ", ".join(f"{name}={value}" for name, value in values.items())
    raise ValueError(f"{names} {what}. Received: {given}")


def _parameters(layer_class):
    parameters = dict(inspect.signature(layer_class.__init__).parameters)
    del parameters["self"]
    return {name: p for name, p in parameters.items() if p.kind is not p.VAR_KEYWORD}


def signature(*classes):
    """The signature of a constructor, with what its `**kwargs` are passed on to.

    Args:
        *classes: Classes that take the arguments, the first that names one first. Of
            each, the bases count too, down to the first of Keras.
    """
    found, positional = {}, True
    for init in (init for c in classes for init in _constructors(c)):
        parameters = list(inspect.signature(init).parameters.values())[1:]
        for p in parameters:
            if p.kind is p.POSITIONAL_OR_KEYWORD and not positional:
                p = p.replace(kind=p.KEYWORD_ONLY)
            if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY, p.VAR_KEYWORD):
                found.setdefault(p.name, p)
        kinds = {p.kind for p in parameters}
        positional &= inspect.Parameter.VAR_POSITIONAL in kinds
        positional &= inspect.Parameter.POSITIONAL_OR_KEYWORD not in kinds
    return inspect.Signature(sorted(found.values(), key=lambda p: p.kind))


def _constructors(layer_class):
    """Those that a class runs, one passing the rest on to the next."""
    for base in layer_class.__mro__:
        if "__init__" in vars(base):
            yield base.__init__
            parameters = inspect.signature(base.__init__).parameters.values()
            passes_on = any(p.kind is p.VAR_KEYWORD for p in parameters)
            if not passes_on or base.__module__.startswith("keras."):
                return
