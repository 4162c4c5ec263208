"""The matrix products of a training step alone: the time that nothing can beat.

NumPy's OpenBLAS computes them, each pair of matrices once, one after the other,
with `OPENBLAS_NUM_THREADS` threads.
"""

import numpy as np


def load(products):
    """What `interleaved.serve` wants: the builder, and facts for the result.

    Args:
        products: List of `(times, m, k, n)`, of `(m, k) @ (k, n)`.
    """
    flops = sum(2 * times * m * k * n for times, m, k, n in products)

    def prepare():
        generator = np.random.default_rng(0)
        pairs = [
            (
                times,
                generator.random((m, k), "float32"),
                generator.random((k, n), "float32"),
                np.empty((m, n), "float32"),
            )
            for times, m, k, n in products
        ]

        def step():
            for times, left, right, out in pairs:
                for _ in range(times):
                    np.matmul(left, right, out=out)
            return float(out[0, 0])

        return step

    return prepare, {"gflop": flops / 1e9}
