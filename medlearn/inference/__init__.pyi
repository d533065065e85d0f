from ._bundle import Predictor as Predictor
from ._bundle import bundle as bundle
from ._onnx import export_onnx as export_onnx
from ._bundle import load as load
from ._volumes import largest_component as largest_component
from ._volumes import write_nifti as write_nifti
