from ._bundle import Predictor as Predictor
from ._bundle import bundle as bundle
from ._onnx import export_onnx as export_onnx
from ._bundle import load as load
