"""Models from elsewhere become kerasseq models; those of stock layers also go back."""

from kerasseq.convert.fusing import unfused_layers as unfused_layers
from kerasseq.convert.keras2.importer import import_keras2 as import_keras2
from kerasseq.convert.keras_hub_vit import from_keras_hub_vit as from_keras_hub_vit
from kerasseq.convert.stock import from_keras as from_keras
from kerasseq.convert.stock import to_keras as to_keras
