from ._extract import extract as extract
from ._stream import stream as stream
