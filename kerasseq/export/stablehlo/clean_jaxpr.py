"""Rewrites a jaxpr so that it becomes fewer and more common ops of TFLite."""

import jax
from jax import lax
from jax.extend import core

_NO_BROADCASTS = (
    lax.concatenate_p,
    lax.conv_general_dilated_p,
    lax.dot_general_p,
    lax.gather_p,
    lax.transpose_p,
)
_FILL = lax.GatherScatterMode.FILL_OR_DROP


def clean(jaxpr: core.ClosedJaxpr) -> core.ClosedJaxpr:
    """Rewrites a jaxpr, also inside its loops and branches.

    - A gather that fills what is out of bounds with NaN, as `keras.ops.take` makes it,
      becomes one that takes the nearest row: the file then needs no check of each
      index.
    - A barrier parts a transpose from what may be a broadcast before it: the converter
      (litert-converter 0.5.0) merges the two to a reshape in a wrong order.
    - The exact GELU, whose error function is 60 ops, becomes the one op `GELU`.

    Args:
        jaxpr: The jaxpr of a function.

    Returns:
        Another that computes the same for indices within bounds.
    """
    return core.ClosedJaxpr(_cleaned(jaxpr.jaxpr), jaxpr.consts)


def _cleaned(jaxpr):
    makers = {var: equation for equation in jaxpr.eqns for var in equation.outvars}
    return jaxpr.replace(eqns=[_cleaned_equation(x, makers) for x in jaxpr.eqns])


def _cleaned_equation(equation, makers):
    if equation.primitive is lax.transpose_p and _may_broadcast(equation, makers):
        return _apart(equation)
    if equation.primitive is lax.mul_p:
        x = _gelu_input(equation, makers)
        return equation if x is None else _as_gelu(equation, x)
    params = {key: _cleaned_param(value) for key, value in equation.params.items()}
    if equation.primitive is lax.gather_p and params["mode"] is _FILL:
        params["mode"] = lax.GatherScatterMode.CLIP
    return equation.replace(params=params)


def _cleaned_param(value):
    if isinstance(value, core.ClosedJaxpr):
        return clean(value)
    if isinstance(value, core.Jaxpr):
        return _cleaned(value)
    if type(value) in (tuple, list):
        return type(value)(map(_cleaned_param, value))
    return value


def _may_broadcast(transpose, makers):
    """Whether the input of a transpose may be a broadcast for the converter."""
    equation = _maker(transpose, makers)
    while equation is not None and equation.primitive is lax.reshape_p:
        equation = _maker(equation, makers)
    return equation is not None and equation.primitive not in _NO_BROADCASTS


def _maker(equation, makers):
    return _made_by(equation.invars[0], makers)


def _made_by(var, makers):
    return None if isinstance(var, core.Literal) else makers.get(var)


def _apart(transpose):
    permutation = transpose.params["permutation"]

    @jax.jit
    def apart(x):
        return lax.transpose(lax.optimization_barrier(x), permutation)

    (call,) = jax.make_jaxpr(apart)(transpose.invars[0].aval).jaxpr.eqns
    return transpose.replace(primitive=call.primitive, params=call.params)


def _gelu_input(product, makers):
    """The `x` of `0.5 * x * erfc(-x * sqrt(0.5))`, `None` for another product.

    So `jax.nn.gelu` writes the exact one.
    """
    half, erfc = (_made_by(var, makers) for var in product.invars)
    if half is None or half.primitive is not lax.mul_p or not _is(half.invars[0], 0.5):
        return None
    x = half.invars[1]
    if erfc is None or erfc.primitive is not lax.erfc_p:
        return None
    scaled = _made_by(erfc.invars[0], makers)
    if scaled is None or not _is(scaled.invars[-1], 0.5**0.5):
        return None
    negative = _made_by(scaled.invars[0], makers)
    found = negative is not None and negative.primitive is lax.neg_p
    return x if found and negative.invars[0] is x else None


def _is(var, value):
    return isinstance(var, core.Literal) and abs(float(var.val) - value) < 1e-6


def _as_gelu(product, x):
    """An equation that calls the same function under a name the converter knows."""

    def gelu(x, approximate):
        return jax.nn.gelu(x, approximate=False)

    function = lax.composite(gelu, name="aten.gelu.default")
    traced = jax.make_jaxpr(lambda x: function(x, approximate="none"))
    (call,) = traced(x.aval).jaxpr.eqns
    return product.replace(invars=[x], primitive=call.primitive, params=call.params)
