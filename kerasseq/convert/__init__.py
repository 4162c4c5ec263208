"""Models of stock Keras layers become kerasseq models, and back."""

from kerasseq.convert.fusing import unfused_layers as unfused_layers
from kerasseq.convert.stock import from_keras as from_keras
from kerasseq.convert.stock import to_keras as to_keras
